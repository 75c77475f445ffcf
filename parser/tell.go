package parser

import (
	"net/netip"
	"strings"
	"time"

	"github.com/trapline/trapline/internal/address"
)

// tell is something that no mail server writes, or hardly any. Most were found in the lines that
// spam programs put into their messages to lead readers astray.
type tell struct {
	note    string
	example string // a line that shows this and nothing else
	shows   func(*exhibit) bool
}

// tells is the table, in the order of a line's own parts.
var tells = [...]tell{
	{
		note: "a date where the address belongs",
		example: "from unknown (HELO mx) (Mon, 29 Jul 2024 10:22:17 +0200) by mx.example with SMTP; " +
			"29 Jul 2024 08:22:17 -0000",
		shows: hasDateForAddress,
	},
	{
		note: "an address with a number over 255",
		example: "from h.example (r.example [201.357.369.35]) by mx.example (Postfix) with ESMTP " +
			"id 4F3D2; Tue, 15 Mar 2022 10:30:00 +0000",
		shows: hasBigOctet,
	},
	{
		note: "an address that cannot send mail",
		example: "from unknown (HELO h.example) (247.12.3.4) by mx.example with SMTP; " +
			"15 Mar 2022 10:30:00 -0000",
		shows: func(x *exhibit) bool { return isMute(x.client.ip) },
	},
	{
		note: "by a name that the DNS does not have",
		example: "from h.example (r.example [198.51.100.7]) by server.local (Postfix) with ESMTP " +
			"id 4F3D2; Tue, 15 Mar 2022 10:30:00 +0000",
		shows: func(x *exhibit) bool { return isInward(x.clauses.by) },
	},
	{
		// It is Yahoo's own protocol between its own hosts.
		note:    "NNFMP, Yahoo's protocol, at another's host",
		example: "from [198.51.100.7] by mta21.bigpong.com with NNFMP; 20 Aug 2002 01:47:20 -0000",
		shows: func(x *exhibit) bool {
			return x.clauses.with("NNFMP") && !within(x.clauses.by, "yahoo.com")
		},
	},
	{
		// Exim names protocols in small letters, and always writes its id.
		note: "Exim's name for the protocol without Exim's id",
		example: "from unknown (HELO h.example) (198.51.100.7) by mx.example with asmtp; " +
			"Wed, 11 Sep 2002 04:28:03 -0100",
		shows: func(x *exhibit) bool {
			how := x.clauses.how
			return (how == "smtp" || how == "asmtp" || how == "local") &&
				x.client.ip.IsValid() && x.clauses.clause("id") == ""
		},
	},
	{
		note: "a host that an old spam program made up",
		example: "from rly-xr02.nikavo.net ([198.51.100.7]) by mx.example with QMQP; " +
			"Wed, 11 Sep 2002 04:28:03 -0100",
		shows: namesInvention,
	},
	{
		note: "Google's id tells another date",
		example: "from h.example (r.example. [198.51.100.7]) by mx.google.com with ESMTP " +
			"id 025x0ft1b5r042h.25.2019.02.12.06.38.06; Mon, 29 Jul 2024 10:22:17 -0700 (PDT)",
		shows: func(x *exhibit) bool { return within(x.clauses.by, "google.com") && x.isRedated() },
	},
	{
		note: "a year that begins with 0",
		example: "from unknown (HELO h.example) (198.51.100.7) by mx.example with SMTP; " +
			"Wed, 11 Sep 0102 04:28:03 -1100",
		shows: func(x *exhibit) bool { return isFirstMillennium(x.date) },
	},
	{
		note: "a date in a form that no mail server writes",
		example: "from [198.51.100.7] by mx.example with SMTP; " +
			"Aug, 25 2002 9:25:17 AM +0400",
		shows: func(x *exhibit) bool { return isOffice(x.date) },
	},
	{
		note:    "no readable date",
		example: "from h.example ([198.51.100.7]) by mx.example (8.9.3/8.9.3) with ESMTP id AA1; today",
		shows: func(x *exhibit) bool {
			return x.time.IsZero() && !isFirstMillennium(x.date) && !isOffice(x.date)
		},
	},
}

// hasDateForAddress looks at the comments before the `by`, in brackets or not.
func hasDateForAddress(x *exhibit) bool {
	for i := range x.clauses.from {
		t := &x.clauses.from[i]
		if t.kind == group && !parseDate(strings.Trim(t.text, "[]")).IsZero() {
			return true
		}
	}
	return false
}

// hasBigOctet looks for four numbers with dots before the `by`.
func hasBigOctet(x *exhibit) bool {
	for i := range x.clauses.from {
		for quad := range strings.FieldsFuncSeq(x.clauses.from[i].text, isNoQuad) {
			if isBeyondIPv4(quad) {
				return true
			}
		}
	}
	return false
}

func isNoQuad(r rune) bool { return strings.ContainsRune(" ()[]@:/=", r) }

// isBeyondIPv4 tells whether four numbers with dots are no address for their size.
func isBeyondIPv4(s string) bool {
	parts, big := 0, false
	for part := range strings.SplitSeq(s, ".") {
		n, ok := number(part)
		if !ok || len(part) > 3 {
			return false
		}
		parts, big = parts+1, big || n > 255
	}
	return parts == 4 && big
}

// isMute knows the addresses that no mail comes from anywhere: multicast, what is reserved, the
// host that does not know its own, and a resolver's that spam programs like.
func isMute(ip netip.Addr) bool {
	if !ip.IsValid() {
		return false
	}
	private := ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() ||
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(ip)
	return ip == netip.AddrFrom4([4]byte{1, 1, 1, 1}) || address.Special(ip) && !private
}

// isInward knows host names that hold inside a network at best.
func isInward(name string) bool {
	if name == "" || isAnybody(name) {
		return false
	}
	for _, domain := range [...]string{"local", "lan", "localdomain", "internal", "intranet", "corp",
		"home", "private", "workgroup"} {
		if within(name, domain) {
			return true
		}
	}
	return !strings.Contains(strings.TrimSuffix(name, "."), ".")
}

// isAnybody knows what a host may call itself that has no name: localhost, its address, or what
// looks like one inside of Google.
func isAnybody(name string) bool {
	_, isAddress := parseAddr(strings.Trim(name, "[]"))
	return isAddress || hasPrefix(name, "localhost") || hasPrefix(name, "2002:a")
}

// isPublic knows host names that the DNS could have.
func isPublic(name string) bool { return name != "" && !isAnybody(name) && !isInward(name) }

// namesInvention knows domains of a template that has been sent since 2002.
func namesInvention(x *exhibit) bool {
	for _, name := range [...]string{x.clauses.by, x.client.helo, x.client.rdns} {
		for _, domain := range [...]string{"nikavo.net", "bigping.com", "2yahoo.com", "huyahoo.com",
			"nihuyatut.net", "dohuya.com", "pianstvu.net", "hottestmale.com", "aolmd.com",
			"webhostingtotalk.com"} {
			if within(name, domain) {
				return true
			}
		}
	}
	return false
}

// isRedated compares the date in Google's id, which ends with it in Pacific time, with the line's.
func (x *exhibit) isRedated() bool {
	const form = "2006.01.02.15.04.05"
	id := x.clauses.clause("id")
	if len(id) <= len(form) || x.time.IsZero() {
		return false
	}
	at, err := time.Parse(form, id[len(id)-len(form):])
	return err == nil && x.time.Sub(at).Abs() > 24*time.Hour
}

// isFirstMillennium tells whether a date has a year of four digits that begins with 0, as programs
// write it that take C's years since 1900 for years.
func isFirstMillennium(date string) bool {
	afterMonth := false
	for part := range strings.FieldsSeq(date) {
		_, isNumber := number(part)
		if afterMonth && isNumber && len(part) == 4 && part[0] == '0' {
			return true
		}
		afterMonth = monthOf(part) > 0
	}
	return false
}

// isOffice tells whether a date is written as in office programs: a comma behind the month, or
// twelve hours.
func isOffice(date string) bool {
	for part := range strings.FieldsSeq(date) {
		name, hasComma := strings.CutSuffix(part, ",")
		if hasComma && len(name) == 3 && monthOf(name) > 0 {
			return true
		}
		if equal(name, "AM") || equal(name, "PM") ||
			equal(name, "a.m.") || equal(name, "p.m.") {
			return true
		}
	}
	return false
}
