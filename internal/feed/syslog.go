package feed

import (
	"strings"
	"time"
)

// entry is a line that a syslog daemon or postlogd wrote:
//
//	Nov 24 11:53:03 mx postfix/smtpd[148]: 95DF99868BB: client=mail.example[198.51.100.7]
//	2026-11-24T11:53:03.250+00:00 mx postfix-in/smtpd[148]: …
type entry struct {
	stamp string
	host  string
	tag   string // the program, without its process id
	text  string // what it says; only here are words of strangers
}

func parseEntry(line string) (entry, bool) {
	var e entry
	var ok bool
	if e.stamp, line, ok = cutStamp(line); !ok {
		return entry{}, false
	}
	if e.host, line, ok = strings.Cut(line, " "); !ok {
		return entry{}, false
	}
	if e.tag, e.text, ok = strings.Cut(line, ": "); !ok || strings.Contains(e.tag, " ") {
		return entry{}, false
	}
	e.tag, _, _ = strings.Cut(e.tag, "[")
	return e, e.host != "" && e.tag != ""
}

// cutStamp cuts off a stamp by its shape.
func cutStamp(line string) (stamp, rest string, ok bool) {
	const old, digits = len(time.Stamp), "0123456789"
	if len(line) <= old {
		return "", "", false
	}
	if strings.IndexByte(digits, line[0]) >= 0 {
		stamp, rest, ok = strings.Cut(line, " ")
		return stamp, rest, ok && len(stamp) > len(time.DateOnly) && stamp[len(time.DateOnly)] == 'T'
	}
	shaped := line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[old] == ' '
	return line[:old], line[old+1:], shaped
}

// instant reads a stamp. One without a year is of the last such day, so that a log of December can
// be read in January, and one of the next hours is not a year old where clocks differ a little; it
// is in the time zone of now.
func (e entry) instant(now time.Time) (time.Time, bool) {
	if len(e.stamp) > len(time.Stamp) {
		return fullInstant(e.stamp)
	}
	t, err := time.Parse(time.Stamp, e.stamp)
	if err != nil {
		return time.Time{}, false
	}
	const leap = 8 // years between two 29th of February, at most
	for year := now.Year() + 1; year >= now.Year()-leap; year-- {
		found := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		if found.Month() == t.Month() && !found.After(now.Add(ahead*time.Second)) {
			return found, true
		}
	}
	return time.Time{}, false
}

// fullInstant reads a stamp of RFC 3339, or as older systemd writes it: +0100 for +01:00.
func fullInstant(stamp string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05Z0700", stamp)
	}
	return t, err == nil
}
