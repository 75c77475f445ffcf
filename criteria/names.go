package criteria

import (
	"crypto/sha256"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// names remembers what stands for the names that come again and again, so that
// neither hashes nor the public suffix list are asked anew. Strangers choose
// names: what is remembered is bounded, and what has not come for long goes.
type names struct{ young, old map[nameKey]member }

type nameKey struct {
	name string
	kind Kind
}

// Bounds of the memory for names: so many twice over, none longer than SMTP's.
const (
	mostNames   = 1 << 13
	longestName = 320
)

func newNames() *names { return &names{young: map[nameKey]member{}} }

// member gives what stands for a trap or reporter, without a weight.
func (n *names) member(kind Kind, name string) member {
	key := nameKey{name, kind}
	m, ok := n.young[key]
	if ok {
		return m
	}
	if m, ok = n.old[key]; !ok {
		m = memberOf(kind, name)
	}
	if len(name) > longestName {
		return m
	}
	if len(n.young) >= mostNames {
		n.young, n.old = map[nameKey]member{}, n.young
	}
	n.young[key] = m
	return m
}

func memberOf(kind Kind, name string) member {
	m := member{id: identity(kind.String(), name)}
	if kind == TrapHit {
		m.domain = identity("domain", registrable(name))
	}
	return m
}

// identity stands for a name in comparisons. It is cut from a cryptographic
// hash: strangers choose the names and must not find two that look the same.
func identity(kind, name string) uint64 {
	sum := sha256.Sum256([]byte(kind + "\x00" + name)) // no kind holds a NUL
	return beUint64(sum[:])
}

// registrable is the domain of an address that somebody can register, by the
// public suffix list; the whole domain where the list has no answer.
func registrable(address string) string {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	if d, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return d
	}
	return domain
}
