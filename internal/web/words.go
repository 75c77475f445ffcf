package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/notice"
)

// words are what templates say things with.
var words = template.FuncMap{
	"stamp": criteria.Second.String, "clock": clock, "date": date, "span": span, "ends": ends,
	"lacks": lacks, "plural": plural, "title": titleOf, "days": wholeDays, "stopped": stopped,
	"number": number,
}

// clock says an instant to people.
func clock(s criteria.Second) string { return s.Time().Format("2 January 2006, 15:04") + " UTC" }

// date says a day as written in JSON to people.
func date(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format("2 January")
}

// span says a duration in its two largest units: "5 minutes and 30 seconds".
func span(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if u.d == 24*time.Hour && d <= 2*u.d {
			continue // people say 24 hours, and 48
		}
		if n := d / u.d; n > 0 && len(parts) < 2 {
			parts = append(parts, plural(int(n), u.name))
			d -= n * u.d
		}
	}
	if parts == nil {
		return "no time"
	}
	return strings.Join(parts, " and ")
}

// wholeDays says a duration of the configuration in days, or else as it is.
func wholeDays(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return plural(int(d/day), "day")
	}
	return span(d)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// number groups digits by thousands.
func number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// ends says what will end a listing.
func ends(e criteria.Ending, p criteria.Policy) string {
	switch e {
	case criteria.DelistAfter:
		return "by then there has been no report for " + span(p.DelistAfter)
	case criteria.DelistAfterFew:
		return fmt.Sprintf("only %s count, and by then there has been no other for %s",
			plural(p.MinReports, "report"), span(p.DelistAfterFew))
	case criteria.Reports:
		return "by then so many reports are older than " + wholeDays(p.MaxAge) + " that too few are left"
	case criteria.Traps, criteria.TrapDomains:
		return "by then the reports that are left come from too few traps"
	case criteria.Threshold:
		return "by then the reports are so old that their sum falls below " + p.Threshold.String()
	case criteria.Ratio:
		return "by then the sum is too small beside the wanted mail of the address"
	case criteria.ManualEnd:
		return "the operator set it"
	case criteria.NetworkEnd:
		return "by then too few addresses of the network are listed"
	}
	return "the rules say so"
}

// lacks says what keeps an address off the list, though reports are on record.
func lacks(e criteria.Ending, p criteria.Policy) string {
	switch e {
	case criteria.DelistAfter:
		return "there has been no report for more than " + span(p.DelistAfter)
	case criteria.DelistAfterFew:
		return fmt.Sprintf("there are only %s, and there has been none for more than %s",
			plural(p.MinReports, "report"), span(p.DelistAfterFew))
	case criteria.Reports:
		return fmt.Sprintf("fewer than %s of the last %s count", plural(p.MinReports, "report"),
			wholeDays(p.MaxAge))
	case criteria.Traps, criteria.TrapDomains:
		return "the reports come from too few traps"
	case criteria.Threshold:
		return "the sum of the reports is below " + p.Threshold.String()
	case criteria.Ratio:
		return "the sum of the reports is small beside the wanted mail that the address is known to send"
	}
	return "not all conditions of a listing are met"
}

// stopped says why the walk through the Received lines ended, in the parser's word.
func stopped(t notice.Trace) string {
	if t.Stopped == "untrusted-peer" {
		return "it is the first host that nobody here vouches for"
	}
	return strings.ReplaceAll(t.Stopped, "-", " ")
}
