package feed

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProvider(t *testing.T) {
	p := NewProviders()
	for _, c := range []struct{ network, want string }{
		{"209.85.220.41/32", "Google"},
		{"209.85.220.0/24", "Google"},
		{"2a00:1450:4864:20::/64", "Google"},
		{"40.107.22.1/32", "Microsoft"},
		{"52.0.0.0/8", "Microsoft"}, // a part of it is
		{"17.58.6.40/32", "Apple"},
		{"54.240.27.1/32", "Amazon"},
		{"198.51.100.7/32", ""},
		{"2001:db8::/64", ""},
		{"17.40.255.255/32", ""},
	} {
		name, known := p.Provider(netip.MustParsePrefix(c.network))
		if name != c.want || known != (c.want != "") {
			t.Errorf("%s: %q, want %q", c.network, name, c.want)
		}
	}
	if diff := cmp.Diff([]string{"Google", "Microsoft", "Apple", "Amazon"}, p.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestProvidersUnreadable(t *testing.T) {
	for _, text := range []string{"Example 192.0.2.1/24", "Example 192.0.2.0", "Example 192.0.2.0/24,"} {
		if _, err := parseProviders(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
