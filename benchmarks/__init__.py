"""Speed and memory claims, each measured against a peer in the same run. No part of the installed package."""
