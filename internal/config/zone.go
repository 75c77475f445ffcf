package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

func (s section) zone(hostname, dataDir string) Zone {
	const day = 24 * time.Hour
	z := Zone{
		Dir:         s.resolved("dir", "zone", dataDir),
		Origin:      s.fullName("origin", below("bl", hostname)),
		NS:          s.fullNames("ns", hostname),
		Contact:     s.contact("contact", below("hostmaster", hostname)),
		TTL:         s.seconds("ttl", 5*time.Minute, time.Second, day),
		NegativeTTL: s.seconds("negative_ttl", time.Minute, time.Second, day),
		Text:        s.text("text", ""),
		// A publication raises the mtime by whole seconds: that is how rbldnsd and rsync see it.
		MinInterval:    s.seconds("min_interval", 30*time.Second, time.Second, day),
		ValidFor:       s.seconds("valid_for", 2*day, 0, 366*day),
		MaxChange:      s.decimal("max_change", criteria.One/2, 0, criteria.One),
		MaxChangeFloor: s.number("max_change_floor", 1000, 0, 1_000_000_000),
		Keep:           int(s.number("keep", 5, 1, 1000)),
	}
	if len(z.NS) == 0 {
		s.need(false, "ns", `at least one name, as ns = ["mx.example.net"]`)
	}
	s.checkLife(z)
	return z
}

// below is the default for a name of our own; none without a hostname.
func below(label, hostname string) string {
	if hostname == "" {
		return ""
	}
	return label + "." + hostname
}

// contact reads the mailbox of the zone's keeper, which a zone spells as a name.
func (s section) contact(key, otherwise string) string {
	if n := s.node.child(key); n != nil && strings.Contains(n.text, "@") {
		s.declare(key)
		s.fault(s.at(key), quoted(n.text)+" is a mail address",
			"write it with a dot for the @, as hostmaster.example.net")
		return ""
	}
	return s.fullName(key, otherwise)
}

// checkLife: copies must outlive the pause between two publications, or they fall silent while we
// are well. Unchanged zones go out every quarter of their life.
func (s section) checkLife(z Zone) {
	validFor, interval := s.at("valid_for"), s.at("min_interval")
	if z.ValidFor > 0 && z.ValidFor < time.Hour && s.sound(validFor) {
		s.fault(validFor, "is "+short(z.ValidFor), "give at least 1h, or 0 for no end")
	}
	if z.ValidFor > 0 && z.MinInterval > z.ValidFor/4 && s.sound(validFor, interval) {
		s.fault(s.firstGiven(interval, validFor), "makes min_interval longer than a quarter of valid_for",
			"give min_interval at most "+short(z.ValidFor/4))
	}
}

// checkZoneText fills in the default text and checks what rbldnsd makes of it. It comes after
// [web], which the default is made of.
func (r *reader) checkZoneText(c *Config) {
	const path = "zone.text"
	if c.Zone.Text == "" && c.Web.BaseURL != "" {
		c.Zone.Text = "Listed, see " + strings.ReplaceAll(c.Web.BaseURL, "$", "$$") + "/ip/$"
	}
	if c.Zone.Text == "" {
		c.Zone.Text = "Listed by " + c.Zone.Origin + ": $"
	}
	if !r.sound(path) {
		return
	}
	text := c.Zone.Text
	switch {
	case strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }):
		r.fault(path, "has characters outside ASCII", "write plain ASCII")
	case strings.ContainsAny(text, `"\`):
		r.fault(path, "has a quote or a backslash", "take it out: mail servers put the text into replies")
	case strings.HasPrefix(text, "="):
		r.fault(path, "begins with =, which rbldnsd takes for a mark of its own", "begin with a word")
	default:
		r.checkDollars(path, text)
	}
}

// checkDollars: rbldnsd puts the address where it reads $, a dollar for $$, and other things for
// $ before a digit or =; then it cuts the text at 254 bytes (txtsubst in rbldnsd 1.0).
func (r *reader) checkDollars(path, text string) {
	const limit, longest = 254, len("2001:0db8:0000:0000:0000:0000:0000:0001")
	size := 0
	for i := 0; i < len(text); i++ {
		size++
		if text[i] != '$' {
			continue
		}
		switch next := text[i+1:]; {
		case strings.HasPrefix(next, "$"):
			i++
		case next != "" && strings.Contains("0123456789=", next[:1]):
			r.fault(path, "has "+quoted(text[i:i+2])+", a variable of rbldnsd",
				"write $ for the address and $$ for a dollar")
			return
		default:
			size += longest - 1
		}
	}
	if size > limit {
		r.fault(path, "with an IPv6 address for each $ is longer than the 254 bytes that rbldnsd keeps",
			"shorten it")
	}
}

func (s section) web() Web {
	return Web{
		Address:     s.socket("address", "127.0.0.1:8080"),
		BaseURL:     s.baseURL("base_url"),
		Evidence:    Evidence(s.word("evidence", "an amount of evidence", "none", "subject", "headers")),
		TrustProxy:  s.believed("trust_proxy"),
		SelfRemoval: s.word("self_removal", "a way of removal", "off", "verified") == "verified",
	}
}

// baseURL reads the address that others reach the pages by; paths are appended to it.
func (s section) baseURL(key string) string {
	text := strings.TrimRight(s.text(key, ""), "/")
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	plain := err == nil && u.User == nil && u.Hostname() != "" && !strings.ContainsAny(text, "?# ")
	if !plain || u.Scheme != "https" && u.Scheme != "http" {
		s.fault(s.at(key), quoted(text)+" is not the address of a site",
			"write it as https://bl.example.net")
		return ""
	}
	return text
}
