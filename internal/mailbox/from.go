package mailbox

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// maxFromLine is the longest line that can be a From_ line: a reverse path has 256 octets at most
// (RFC 5321, section 4.5.3.1.3), a date some forty.
const maxFromLine = 1000

var fromSpace = []byte("From ")

// readFromLine reads a line that stands before a message in an mbox: `From `, a sender, and a date
// as asctime writes it, which is what tells it from a sentence. The sender is "" where the line
// holds none that could be read.
func readFromLine(line []byte) (sender string, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > maxFromLine || !bytes.HasPrefix(line, fromSpace) ||
		bytes.IndexByte(line, '\r') >= 0 { // the lines of an old Mac, and no mbox
		return "", false
	}
	words := strings.Fields(string(line[len(fromSpace):]))
	for i := len(words) - 1; i >= 0; i-- {
		if !isDate(words[i:]) {
			continue
		}
		if i == 1 {
			sender = words[0]
		}
		return sender, true
	}
	return "", false
}

// isDate tells a weekday with a month, a day, a time of day and a year behind it. Their order and
// a time zone among them are not looked at: mailers differ in both.
func isDate(words []string) bool {
	if len(words) < 5 || len(words) > 8 || !isOneOf(words[0], weekdays[:]) {
		return false
	}
	var month, day, clock, year bool
	for _, word := range words[1:] {
		n, err := strconv.Atoi(word)
		switch {
		case isOneOf(word, months[:]):
			month = true
		case isClock(word):
			clock = true
		case err == nil && n >= 1 && n <= 31 && len(word) <= 2:
			day = true
		case err == nil && n >= 1970 && len(word) == 4:
			year = true
		}
	}
	return month && day && clock && year
}

var (
	weekdays = [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	months   = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

func isOneOf(word string, names []string) bool {
	word = strings.TrimSuffix(word, ",")
	for _, name := range names {
		if strings.EqualFold(word, name) {
			return true
		}
	}
	return false
}

func isClock(word string) bool {
	if _, err := time.Parse("15:04:05", word); err == nil {
		return true
	}
	_, err := time.Parse("15:04", word)
	return err == nil
}

// cutFromLine takes the From_ line off a single message. Here the date is not asked for, as no
// header begins like that: a field's name has no space in it, save before its colon (RFC 5322,
// section 4.5.8).
func cutFromLine(data []byte) (sender string, rest []byte) {
	line, rest := cutLine(data)
	after, ok := bytes.CutPrefix(line, fromSpace)
	spaced := bytes.HasPrefix(bytes.TrimLeft(after, " \t"), []byte(":"))
	if !ok || spaced || len(line) > maxFromLine {
		return "", data
	}
	if sender, ok = readFromLine(line); ok {
		return sender, rest
	}
	word, _, _ := strings.Cut(string(after), " ")
	return word, rest
}

// cutLine cuts off a line with its end: LF, CRLF, or the CR of old Macs. Lines longer than a header
// may have are cut short, so that a huge one costs nothing.
func cutLine(data []byte) (line, rest []byte) {
	const longest = 64 << 10
	at := bytes.IndexAny(data[:min(len(data), longest)], "\r\n")
	if at < 0 {
		at = min(len(data), longest)
		return data[:at], data[at:]
	}
	line, rest = data[:at], data[at+1:]
	if data[at] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest
}

// reversePath is what the writer of the file said about the envelope: the sender of the From_ line,
// else a Return-Path above every Received line. One further down came with the message.
func reversePath(sender string, data []byte) string {
	if path := asPath(sender); path != "" {
		return path
	}
	for range maxHeadLines {
		var line []byte
		line, data = cutLine(data)
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(bytes.TrimRight(name, " \t"))) {
		case "return-path":
			return asPath(strings.TrimSpace(string(value)))
		case "received", "":
			return ""
		}
	}
	return ""
}

// asPath is the address without its brackets, "<>" for the null path, which an mbox spells
// MAILER-DAEMON, and "" for anything else.
func asPath(text string) string {
	path := strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	switch {
	case text == "<>" || strings.EqualFold(path, "MAILER-DAEMON"):
		return "<>"
	case strings.Contains(path, "@") && !strings.ContainsAny(path, " \t<>"):
		return path
	}
	return ""
}
