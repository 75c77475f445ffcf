package config

import (
	"bytes"
	_ "embed" // for the two files below
	"fmt"
)

//go:embed starter.toml
var starter []byte

//go:embed demo.toml
var demo []byte

// Starter is a first trapline.toml for a domain whose mail is all trapped: it names the domain, and
// explains every other key beside its default. Without a domain it is for traps.example. It is an
// error for the domain not to be a DNS name, or to be too long for the names made of it.
func Starter(domain string) ([]byte, error) {
	if domain == "" {
		domain = "traps.example"
	}
	name, err := hostName(domain)
	if err != nil {
		return nil, fmt.Errorf("write starter for %s: the domain %w", quoted(domain), err)
	}
	text := bytes.ReplaceAll(starter, []byte("DOMAIN"), []byte(name))
	if _, err := Parse("trapline.toml", text); err != nil {
		return nil, fmt.Errorf("write starter for %s: %w", quoted(domain), err)
	}
	return text, nil
}

// Demo is a configuration to try everything with on one machine: no port below 1024, nothing
// outside the working directory, a listener that believes any client address it is told.
func Demo() []byte { return bytes.Clone(demo) }
