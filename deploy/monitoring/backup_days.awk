# The most days between two backups of BACKUP_SCHEDULE, a cron line in UTC, counted in a calendar of nine years.
# 1 for every day, and for what is not understood (it would be told of too early rather than never).
# For the awk of busybox and of Debian; prometheus.sh asks it.

# A field in numbers alone: names have three letters each.
function plain(field, names, first,    i) {
  field = tolower(field)
  for (i = 0; i * 3 < length(names); i++) gsub(substr(names, i * 3 + 1, 3), i + first, field)
  gsub(/\?/, "*", field)
  return field
}

function has(field, value, low, high,    count, i, parts, pace, step, ends) {
  count = split(field, parts, ",")
  for (i = 1; i <= count; i++) {
    step = split(parts[i], pace, "/") == 2 && pace[2] + 0 > 0 ? pace[2] + 0 : 1
    if (pace[1] == "*") { ends[1] = low; ends[2] = high }
    else if (split(pace[1], ends, "-") < 2) ends[2] = parts[i] ~ /\// ? high : ends[1]
    if (ends[1] + 0 > ends[2] + 0) { # fri-mon
      if (value >= ends[1] + 0) return (value - ends[1]) % step == 0
      if (value <= ends[2] + 0) return (value + high + 1 - low - ends[1]) % step == 0
    }
    else if (value >= ends[1] + 0 && value <= ends[2] + 0 && (value - ends[1]) % step == 0) return 1
  }
  return 0
}

BEGIN {
  line = ENVIRON["BACKUP_SCHEDULE"]
  if (line == "@weekly") line = "0 0 * * 0"
  if (line == "@monthly") line = "0 0 1 * *"
  if (line == "@quarterly") line = "0 0 1 */3 *"
  if (line == "@yearly" || line == "@annually") line = "0 0 1 1 *"
  most = 1
  if (split(line, fields, " ") == 5) {
    dates = plain(fields[3], "", 0)
    months = plain(fields[4], "janfebmaraprmayjunjulaugsepoctnovdec", 1)
    weekdays = plain(fields[5], "sunmontuewedthufrisat", 0)
    if (dates months weekdays ~ /^[0-9*,\/-]+$/) most = longest()
  }
  print most
}

function longest(    most, last, day, year, month, date, length_of, on_date, on_weekday) {
  split("31 28 31 30 31 30 31 31 30 31 30 31", length_of, " ")
  for (year = 2024; year <= 2032; year++)
    for (month = 1; month <= 12; month++)
      for (date = 1; date <= length_of[month] + (month == 2 && year % 4 == 0); date++) {
        day++ # the first one is a Monday
        if (!has(months, month, 1, 12)) continue
        on_date = has(dates, date, 1, 31)
        on_weekday = has(weekdays, day % 7, 0, 6) || (day % 7 == 0 && has(weekdays, 7, 0, 6))
        # Cron: either of the two, if both say something.
        if (dates != "*" && weekdays != "*" ? on_date || on_weekday : on_date && on_weekday) {
          if (last && day - last > most) most = day - last
          last = day
        }
      }
  return most ? most : 1
}
