package config

import (
	"slices"
	"strings"
	"unicode"
)

// name reads a DNS name; "" is for a bad one. What fits a host need not fit a greeting or a zone:
// these need a name with a dot, which full asks for.
func (r *reader) name(it item, full bool) string {
	name, err := hostName(it.text)
	switch {
	case err != nil:
		r.fault(it.path, quoted(it.text)+" "+err.Error(), "write it as mx.example.net")
	case full && !strings.Contains(name, "."):
		r.fault(it.path, quoted(it.text)+" is not a full name", "write it as "+name+".example.net")
		return ""
	}
	return name
}

// fullName reads one name with a dot in it. Empty is the default, which is checked too: made of
// another name it may have become too long. Without a default, empty is none.
func (s section) fullName(key, otherwise string) string {
	name := s.text(key, otherwise)
	if name == "" {
		name = otherwise
	}
	if name == "" || !s.sound(s.at(key)) {
		return ""
	}
	return s.name(item{s.at(key), name}, true)
}

// fullNames reads a list of names.
func (s section) fullNames(key, otherwise string) []string {
	items := s.list(key, "mx.example.net")
	if items == nil {
		return []string{otherwise}
	}
	var names []string
	for _, it := range items {
		if name := s.name(it, true); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// hosts reads a list of names as mail servers call themselves in Received lines, which need not be
// DNS names: they come in lower case without a final dot.
func (s section) hosts(key string) []string {
	var hosts []string
	for _, it := range s.list(key, "mx1.example.net") {
		host := strings.ToLower(strings.TrimSuffix(it.text, "."))
		if host == "" || len(host) > 255 || strings.ContainsFunc(host, cannotStand) {
			s.fault(it.path, quoted(it.text)+" cannot stand behind by in a Received line",
				"write the name that the server gives itself there")
			continue
		}
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// cannotStand tells the characters that end a word of a Received line.
func cannotStand(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`()<>;,"\`, r)
}
