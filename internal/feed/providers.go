package feed

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"
)

//go:embed providers.txt
var providersText string

// Providers knows some networks of large mail providers. Listing one of their
// servers would refuse the mail of millions, so it is pointed out; whether it is
// listed is decided by the criteria alone.
type Providers struct {
	names    []string // in the order of the file
	networks bart.Table[string]
}

// NewProviders reads the list that is part of the program.
func NewProviders() *Providers {
	p, err := parseProviders(providersText)
	if err != nil {
		panic(err) // no input of anybody's: the tests read the same text
	}
	return p
}

func parseProviders(text string) (*Providers, error) {
	p := &Providers{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if !slices.Contains(p.names, words[0]) {
			p.names = append(p.names, words[0])
		}
		for _, word := range words[1:] {
			network, err := netip.ParsePrefix(word)
			if err != nil || network != network.Masked() {
				return nil, fmt.Errorf("read providers: %q is not a network", word)
			}
			p.networks.Insert(network, words[0])
		}
	}
	return p, nil
}

// Names gives the providers.
func (p *Providers) Names() []string { return slices.Clone(p.names) }

// Provider names the provider that a network, or a part of it, belongs to.
func (p *Providers) Provider(network netip.Prefix) (name string, known bool) {
	network = network.Masked()
	if name, known = p.networks.LookupPrefix(network); known {
		return name, true
	}
	for _, name := range p.networks.Subnets(network) {
		return name, true
	}
	return "", false
}
