package parser

import (
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	const none = ""
	for _, c := range []struct{ text, want string }{
		{"Tue, 15 Mar 2022 10:30:00 +0000 (UTC)", "2022-03-15T10:30:00Z"},
		{" Tue, 15 Mar 2022 10:30:00 +0200", "2022-03-15T08:30:00Z"},
		{"Mon, 6 Jul 2015 09:01:20 -0730", "2015-07-06T16:31:20Z"},
		{"15 Mar 2022 10:30:00 -0000", "2022-03-15T10:30:00Z"},
		{"15 Mar 2022 10:30 GMT", "2022-03-15T10:30:00Z"},
		{"Wed, 12 Feb 2003 14:22:21 PST", "2003-02-12T22:22:21Z"},
		{"17 Jan 2011 08:23:27 -0800 PST", "2011-01-17T16:23:27Z"},
		{"Wed, 26 Mar 03 20:43:24 -0600", "2003-03-27T02:43:24Z"},
		{"Wed, 26 Mar 97 20:43:24 GMT", "1997-03-26T20:43:24Z"},
		{"Wed, 26 Mar 102 20:43:24 GMT", "2002-03-26T20:43:24Z"},
		{"Thu, 02 Apr 2020 07:53:55.516 +0000 (UTC)", "2020-04-02T07:53:55Z"},
		{"2024-03-15 10:30:00.123456789 +0000 UTC m=+1.5", "2024-03-15T10:30:00Z"},
		{"Fri Sep 5 12:00:00 2003 -0400", "2003-09-05T16:00:00Z"},
		{"Tue, 15 Mar 2022 10:30:00", "2022-03-15T10:30:00Z"},
		{"Tue, 15 Mar 2022 10:30:00 +0000 (envelope-from <a@example>)", "2022-03-15T10:30:00Z"},
		{"Tue, 15 Mar 2022 10:30:00 +0100 : <g @yi.br>", "2022-03-15T09:30:00Z"},
		{"Tue, \xc2\xf1, 15 Mar 2022 10:30:00 +0000", "2022-03-15T10:30:00Z"},
		{"29 Feb 2024 00:00:00 +0000", "2024-02-29T00:00:00Z"},
		{"Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00Z"},
		{"29 Feb 2023 00:00:00 +0000", none},
		{"31 Apr 2023 00:00:00 +0000", none},
		{"Wed, 11 Sep 0102 04:28:03 -1100", none},
		{"Tue, 15 Mar 2022 24:00:00 +0000", none},
		{"Tue, 15 Foo 2022 10:30:00 +0000", none},
		{"2024-99-99 10:30:00 +0000", none},
		{"15 Mar 99999 10:30:00 +0000", none},
		{"15 Mar 2022", none},
		{"(", none},
		{"", none},
	} {
		got := parseDate(c.text)
		if c.want == none {
			if !got.IsZero() {
				t.Errorf("%q = %s, want none", c.text, got)
			}
			continue
		}
		want, err := time.Parse(time.RFC3339, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q = %s, want %s", c.text, got, want)
		}
	}
}
