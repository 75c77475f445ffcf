package parser

import (
	"strings"
	"time"
)

// date gathers the parts of a date-time as they turn up; zero is not seen yet.
type date struct {
	day, month, year int
	clock            int // seconds since midnight, plus one
	offset           int // seconds east of UTC
}

// parseDate reads the date of a Received line, in UTC and whole seconds; zero if it is unreadable.
// It knows RFC 5322 (sections 3.3 and 4.3) and what else mail servers write: no weekday, the year
// last, fractions of a second, `2024-03-15 10:30:00 +0000 UTC`, no zone at all.
func parseDate(s string) time.Time {
	var d date
	for {
		var part string
		part, s = cutPart(s)
		if part == "" || d.takeZone(part) {
			return d.time()
		}
		if !d.take(part) {
			if d.isComplete() { // words behind the date
				return d.time()
			}
			return time.Time{}
		}
	}
}

// cutPart takes the next word off, commas and comments left out; "" at the end.
func cutPart(s string) (part, rest string) {
	start := 0
	for start < len(s) && isDateGap(s[start]) {
		size := 1
		if s[start] == '(' {
			size = groupLen(s[start:])
		}
		if size == 0 {
			return "", ""
		}
		start += size
	}
	end := start
	for end < len(s) && !isDateGap(s[end]) {
		end++
	}
	return s[start:end], s[end:]
}

func isDateGap(c byte) bool { return c == ' ' || c == ',' || c == '(' }

func (d *date) isComplete() bool { return d.day > 0 && d.month > 0 && d.year > 0 && d.clock > 0 }

// take puts a word into the first place it fits.
func (d *date) take(part string) bool {
	n, numeric := number(part)
	switch {
	case numeric && d.day == 0 && len(part) <= 2:
		d.day = n
	case numeric && d.year == 0:
		d.year = fullYear(n, len(part))
	case numeric:
		return false
	case d.clock == 0 && strings.IndexByte(part, ':') >= 0:
		return d.takeClock(part)
	case d.year == 0 && strings.Count(part, "-") == 2:
		return d.takeISO(part)
	case d.month == 0 && monthOf(part) > 0:
		d.month = monthOf(part)
	default: // a weekday, perhaps in another language, comes first
		return *d == date{}
	}
	return true
}

// takeClock reads hours, minutes, and seconds with a fraction or none.
func (d *date) takeClock(part string) bool {
	part, _, _ = strings.Cut(part, ".")
	h, rest, _ := strings.Cut(part, ":")
	m, s, hasSeconds := strings.Cut(rest, ":")
	hour, ok1 := number(h)
	minute, ok2 := number(m)
	second, ok3 := number(s)
	if !ok1 || !ok2 || hasSeconds && !ok3 || hour > 23 || minute > 59 || second > 60 {
		return false
	}
	d.clock = hour*3600 + minute*60 + second + 1
	return true
}

// takeISO reads a date of ISO 8601.
func (d *date) takeISO(part string) bool {
	y, rest, _ := strings.Cut(part, "-")
	m, day, _ := strings.Cut(rest, "-")
	year, ok1 := number(y)
	month, ok2 := number(m)
	n, ok3 := number(day)
	d.year, d.month, d.day = year, month, n
	return ok1 && ok2 && ok3
}

// takeZone reads the zone behind a complete date: it is the last thing that matters.
func (d *date) takeZone(part string) bool {
	if !d.isComplete() {
		return false
	}
	if n, ok := number(part[1:]); ok && len(part) == 5 && (part[0] == '+' || part[0] == '-') {
		d.offset = n/100*3600 + n%100*60
		if part[0] == '-' {
			d.offset = -d.offset
		}
		return true
	}
	hours, ok := zoneOf(part)
	d.offset = hours * 3600
	return ok
}

// time gives the instant; zero for a date that does not exist, lies before mail did, or has a year
// that RFC 3339 cannot write.
func (d *date) time() time.Time {
	if !d.isComplete() || d.year < 1970 || d.year > 9998 || d.month > 12 {
		return time.Time{}
	}
	midnight := time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != d.day {
		return time.Time{}
	}
	return midnight.Add(time.Duration(d.clock-1-d.offset) * time.Second)
}

// fullYear completes a year of two or three digits (RFC 5322, section 4.3).
func fullYear(n, digits int) int {
	switch {
	case digits == 2 && n < 50:
		return n + 2000
	case digits <= 3:
		return n + 1900
	}
	return n
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// monthOf gives the number of a month by its first three letters; 0 for none.
func monthOf(s string) int {
	if len(s) < 3 {
		return 0
	}
	for i := 0; i < len(months); i += 3 {
		if equal(s[:3], months[i:i+3]) {
			return i/3 + 1
		}
	}
	return 0
}

// zoneOf gives the hours east of UTC of the zones that RFC 5322 names (section 4.3).
func zoneOf(s string) (hours int, ok bool) {
	switch strings.ToUpper(s) {
	case "GMT", "UTC", "UT", "Z":
		return 0, true
	case "EDT":
		return -4, true
	case "EST", "CDT":
		return -5, true
	case "CST", "MDT":
		return -6, true
	case "MST", "PDT":
		return -7, true
	case "PST":
		return -8, true
	}
	return 0, false
}

// number reads up to nine digits and nothing else.
func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
