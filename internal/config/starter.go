package config

import (
	"bytes"
	"cmp"
	_ "embed" // for the two files below
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

//go:embed starter.toml
var starter []byte

//go:embed demo.toml
var demo []byte

// Basics are what a first configuration may be told; "" leaves a default.
type Basics struct {
	Domain   string // whose mail is all trapped, traps.example unless given
	Hostname string // mx.<Domain> unless given
	DataDir  string
	Listen   string // of the first listener
	Kind     Kind   // of the trap; a recycled one rests for a year from Today
	Today    time.Time
	Contact  string // of the zone
	BaseURL  string // of the public pages
}

// PackageDir is the folder of the configuration where the Debian package serves it.
const PackageDir = "/etc/trapline"

// Packaged gives what was left open the values of the Debian package: the folder that its unit may
// write to, and the socket of port 25 that its trapline.socket opens.
func (b Basics) Packaged() Basics {
	b.DataDir = cmp.Or(b.DataDir, "/var/lib/trapline")
	b.Listen = cmp.Or(b.Listen, "fd:smtp")
	return b
}

// Starter is a first trapline.toml: what it was told is in force, and every other key is explained
// beside its default. It is an error for the domain not to be a DNS name, or to be too long for the
// names made of it; other wrong words are Faults in the file that it would be.
func Starter(b Basics) ([]byte, error) {
	domain := cmp.Or(b.Domain, "traps.example")
	name, err := hostName(domain)
	if err != nil {
		return nil, fmt.Errorf("write starter for %s: the domain %w", quoted(domain), err)
	}
	host := cmp.Or(b.Hostname, "mx."+name)
	names := strings.NewReplacer("mx.DOMAIN", host, "DOMAIN", name)
	if strings.ContainsFunc(host, unicode.IsControl) || strings.ContainsAny(host, `"\`) {
		return nil, fmt.Errorf("write starter for %s: the host name is not a DNS name", quoted(host))
	}
	lines := strings.Split(names.Replace(string(starter)), "\n")
	for _, v := range []struct{ table, key, value string }{
		{"", "data_dir", b.DataDir},
		{"[[listen]]", "address", b.Listen},
		{"[[trap]]", "kind", string(b.Kind)},
		{"[[trap]]", "active_from", b.activeFrom()},
		{"[zone]", "contact", b.Contact},
		{"[web]", "base_url", b.BaseURL},
	} {
		if v.value != "" {
			put(lines, v.table, v.key, v.value)
		}
	}
	text := []byte(strings.Join(lines, "\n"))
	if _, err := Parse("trapline.toml", text); err != nil {
		return nil, fmt.Errorf("write starter for %s: %w", quoted(domain), err)
	}
	return text, nil
}

// activeFrom is the day from which a recycled trap counts: honest senders had a year of refusals.
func (b Basics) activeFrom() string {
	if b.Kind != Recycled {
		return ""
	}
	return b.Today.UTC().AddDate(1, 0, 0).Format(time.DateOnly)
}

// put gives the first line of a key in a table, shown as a default, a value that is in force.
func put(lines []string, table, key, value string) {
	i := 0
	for table != "" && lines[i] != table {
		i++
	}
	for !strings.HasPrefix(lines[i], "#"+key+" = ") {
		i++
	}
	if key != "active_from" { // a date has no quotes
		value = strconv.Quote(value)
	}
	lines[i] = key + " = " + value
}

// Demo is a configuration to try everything with on one machine: no port below 1024, nothing
// outside the working directory, a listener that believes any client address it is told.
func Demo() []byte { return bytes.Clone(demo) }
