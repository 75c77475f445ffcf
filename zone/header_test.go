package zone

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestHeaderCheck(t *testing.T) {
	if err := header().Check(); err != nil {
		t.Fatalf("a good header: %v", err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Header)
		where string
	}{
		{"no origin", func(h *Header) { h.Origin = "" }, "origin"},
		{"origin with a final dot", func(h *Header) { h.Origin = "bl.example." }, "origin"},
		{"origin that climbs out of the folder", func(h *Header) { h.Origin = "../bl" }, "origin"},
		{"origin that is a hidden file", func(h *Header) { h.Origin = ".bl" }, "origin"},
		{"origin that is the sums", func(h *Header) { h.Origin = "sha256sums" }, "origin"},
		{"origin too long", func(h *Header) { h.Origin = strings.Repeat("a.", 127) + "a" }, "origin"},
		{"label too long", func(h *Header) { h.Origin = strings.Repeat("a", 64) }, "origin"},
		{"contact as an address", func(h *Header) { h.Contact = "hostmaster@mx.example" }, "contact"},
		{"contact of two lines", func(h *Header) { h.Contact = "a.example\n$NS" }, "contact"},
		{"no name server", func(h *Header) { h.NS = nil }, "ns"},
		{"more than rbldnsd reads", func(h *Header) {
			h.NS = strings.Split(strings.Repeat("a,", 32)+"a", ",")
		}, "ns"},
		{"a name server that rbldnsd would switch off",
			func(h *Header) { h.NS[1] = "-ns.example" }, "ns"},
		{"a name server with a space", func(h *Header) { h.NS[0] = "mx example" }, "ns"},
		{"ttl of 0, which means the default", func(h *Header) { h.TTL = 0 }, "ttl"},
		{"ttl of half a second", func(h *Header) { h.TTL = time.Second / 2 }, "ttl"},
		{"ttl of a month", func(h *Header) { h.TTL = 30 * 24 * time.Hour }, "ttl"},
		{"negative negative_ttl", func(h *Header) { h.NegativeTTL = -1 }, "negative_ttl"},
		{"valid for minutes", func(h *Header) { h.ValidFor = 59 * time.Minute }, "valid_for"},
		{"text of two lines", func(h *Header) { h.Text = "a\n$SOA" }, "text"},
		{"text with a variable", func(h *Header) { h.Text = "see $1" }, "text"},
		{"text with the base template", func(h *Header) { h.Text = "see $=" }, "text"},
		{"text that bypasses the template", func(h *Header) { h.Text = "=see $" }, "text"},
		{"text that reads as a value", func(h *Header) { h.Text = ":127.0.0.9:see" }, "text"},
		{"text that is not ASCII", func(h *Header) { h.Text = "gelistet für $" }, "text"},
		{"text too long with an address",
			func(h *Header) { h.Text = strings.Repeat("a", 216) + "$" }, "text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := header()
			c.spoil(&h)
			var faults Faults
			if !errors.As(h.Check(), &faults) || len(faults) == 0 || faults[0].Where != c.where {
				t.Errorf("Check = %v, want one fault of %s", faults, c.where)
			}
		})
	}
}

func TestHeaderBounds(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit func(*Header)
	}{
		{"longest text", func(h *Header) { h.Text = strings.Repeat("a", 215) + "$" }},
		{"dollars", func(h *Header) { h.Text = "costs 5 $$, see $ or $" }},
		{"no text", func(h *Header) { h.Text = "" }},
		{"no end", func(h *Header) { h.ValidFor = 0 }},
		{"negative_ttl of 0", func(h *Header) { h.NegativeTTL = 0 }},
		{"underscore and capitals", func(h *Header) { h.NS = []string{"_x.MX.example"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := header()
			c.limit(&h)
			if err := h.Check(); err != nil {
				t.Errorf("Check = %v", err)
			}
		})
	}
}
