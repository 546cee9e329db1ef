#!/bin/sh
# Starts SeaweedFS as one S3 server whose only identity is the one in S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.
# A file rather than SeaweedFS's own variables: releases differ in whether they read those.
set -eu
umask 077
mkdir -p /run/airfoil
cat > /run/airfoil/s3.json <<EOF
{"identities": [{"name": "airfoil", "actions": ["Admin", "Read", "List", "Tagging", "Write"],
  "credentials": [{"accessKey": "$S3_ACCESS_KEY_ID", "secretKey": "$S3_SECRET_ACCESS_KEY"}]}]}
EOF
# Volumes of 1 GB that are not reserved ahead: a small disk must do.
exec weed server -dir=/data -ip=s3 -ip.bind=0.0.0.0 -volume.max=0 -master.volumeSizeLimitMB=1024 \
  -s3 -s3.port=8333 -s3.config=/run/airfoil/s3.json
