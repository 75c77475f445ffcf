package feed

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go4.org/netipx"

	"github.com/trapline/trapline/internal/address"
)

// The widest networks that are taken. Nobody's mail servers fill more than what registries have
// given to one holder at once: some have a /8 of IPv4, and a /16 of IPv6. Wider ones are slips,
// cut lines, or somebody's way to switch the list off.
const (
	widest4 = 8
	widest6 = 16
)

// maxReason is how many bytes of a reason are kept.
const maxReason = 200

// ExceptionOptions say how exceptions are read.
type ExceptionOptions struct {
	Path   string // what errors call the stream
	Format Format // Auto, Networks or DNSWL
	Reason string // of networks without one
	Trust  int    // the least of DNSWL's levels that is taken: 0 none, 1 low, 2 medium, 3 high
}

// Exceptions reads networks that are never to be listed, sorted, each once and with the first
// reason that is given; one within another stays, as the other may be taken back. An error is a
// [LineError] where a line is at fault; then no exception is to be used.
func Exceptions(r io.Reader, o ExceptionOptions) ([]Exception, *Stats, error) {
	stats := newStats()
	if o.Trust < 0 || o.Trust > mostTrust {
		return nil, stats, fmt.Errorf("read %s: trust %d is not 0 to %d", o.Path, o.Trust, mostTrust)
	}
	in, err := newLines(r, o.Path)
	if err != nil {
		return nil, stats, err
	}
	n := &networks{Stats: stats, reason: o.Reason, limit: MaxCounts, found: map[netip.Prefix]string{}}
	chosen, err := in.choose(o.Format, []choice{
		{DNSWL, &dnswl{lenient: lenient{stats}, networks: n, least: o.Trust, trust: noTrust}},
		{Networks, &plain{networks: n}},
	})
	if err != nil {
		return nil, stats, in.fault(err)
	}
	if err := in.read(chosen, stats); err != nil {
		return nil, stats, err
	}
	return n.sorted(), stats, nil
}

// networks gathers exceptions.
type networks struct {
	*Stats
	reason string // where none is given
	limit  int
	found  map[netip.Prefix]string
}

// add takes a network, unless it is there or could never be a source.
func (n *networks) add(network netip.Prefix, reason string) error {
	widest := widest6
	if network.Addr().Is4() {
		widest = widest4
	}
	_, again := n.found[network]
	switch {
	case network.Bits() < widest:
		return fmt.Errorf("%s is wider than /%d: name the networks in it that send mail",
			network, widest)
	case address.Special(network.Addr()) && address.Special(netipx.PrefixLastIP(network)):
		n.skip(Special)
	case again:
		n.skip(Repeated)
	case len(n.found) >= n.limit:
		return fmt.Errorf("more than %d networks: split the file", n.limit)
	default:
		n.found[network] = n.reasonOf(reason)
		n.Taken++
	}
	return nil
}

// reasonOf makes a text fit to be shown: short, on one line, and harmless to a terminal.
func (n *networks) reasonOf(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return n.reason
	}
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) ||
		strings.ToValidUTF8(text, "") != text {
		return strconv.QuoteToASCII(text)
	}
	return text
}

func (n *networks) sorted() []Exception {
	all := make([]Exception, 0, len(n.found))
	for network, reason := range n.found {
		all = append(all, Exception{network, reason})
	}
	slices.SortFunc(all, func(a, b Exception) int { return a.Network.Compare(b.Network) })
	return all
}

// parseNetwork reads an address or a network in full. Bits beyond its length are a slip:
// 192.0.2.7/24 may mean the one or the other. So are fewer than four numbers, which some programs
// read as a network and some as an address.
func parseNetwork(word string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(word)
	if err != nil {
		a, err := netip.ParseAddr(word)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%s is neither an address nor a network as "+
				"192.0.2.0/24: write one a line", quote(word))
		}
		network = netip.PrefixFrom(a, a.BitLen())
	}
	const mapped = 128 - 32 // the bits before an IPv4 address in IPv6 form
	if a := network.Addr(); a.Is4In6() && network.Bits() >= mapped {
		network = netip.PrefixFrom(a.Unmap(), network.Bits()-mapped)
	}
	if m := network.Masked(); m != network {
		return netip.Prefix{}, fmt.Errorf("%s has bits beyond /%d: write %s, or the address alone",
			network, network.Bits(), m)
	}
	return network, nil
}

// plain reads a network a line, and behind a blank or # the reason.
type plain struct {
	strict
	*networks
}

func (p *plain) fits(line string) bool {
	word, _ := cutWord(line)
	return isNumeric(word)
}

func (p *plain) take(line string) error {
	word, text := cutWord(line)
	network, err := parseNetwork(word)
	if err != nil {
		return err
	}
	if strings.HasPrefix(text, ":") {
		return fmt.Errorf("%s is an entry for a name server, maybe of those that are to be "+
			"blocked: only DNSWL's format is read as exceptions", quote(line))
	}
	return p.add(network, strings.TrimLeft(text, "# \t"))
}

// isNumeric tells what may be meant as an address or a network. Whether it is one comes later, with
// an error that says so.
func isNumeric(word string) bool {
	return strings.ContainsAny(word, ".:") && strings.Trim(word, "0123456789abcdefABCDEF.:/") == ""
}

// cutWord cuts a line behind its first word.
func cutWord(line string) (word, rest string) {
	line = strings.TrimLeft(line, " \t")
	if end := strings.IndexAny(line, " \t#"); end >= 0 {
		return line[:end], strings.TrimSpace(line[end:])
	}
	return line, ""
}
