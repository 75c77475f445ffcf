package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/trapline/trapline/internal/address"
)

// network reads one network; the zero Prefix is for a bad one.
func (r *reader) network(it item) netip.Prefix {
	p, problem, mend := ParseNetwork(it.text)
	if problem != "" {
		r.fault(it.path, problem, mend)
	}
	return p
}

// ParseNetwork reads a network as everybody means it: with its length, without bits behind that,
// and IPv4 as IPv4. Of any other text it gives the zero Prefix, what is wrong, and what to write.
func ParseNetwork(text string) (p netip.Prefix, problem, mend string) {
	p, err := netip.ParsePrefix(text)
	alone, notAddress := netip.ParseAddr(text)
	switch {
	case err != nil && notAddress == nil:
		alone = address.Unwrap(alone)
		problem, mend = "has no length", fmt.Sprintf("write %s/%d", alone, alone.BitLen())
	case err != nil:
		problem, mend = "is not a network", "write it as 192.0.2.0/24 or 2001:db8::/32"
	case p.Addr().Is4In6():
		problem, mend = "spells IPv4 as IPv6", "write "+unwrapped(p)
	case p != p.Masked():
		problem = "has bits set behind its length"
		mend = fmt.Sprintf("write %s, or %s/%d for the one host", p.Masked(), p.Addr(), p.Addr().BitLen())
	default:
		return p, "", ""
	}
	return netip.Prefix{}, quoted(text) + " " + problem, mend
}

// unwrapped names the IPv4 network that a prefix in ::ffff:0:0/96 means.
func unwrapped(p netip.Prefix) string {
	const mapped = 96
	if p.Bits() < mapped {
		return "IPv4 and IPv6 networks apart"
	}
	v4, _ := address.Unwrap(p.Addr()).Prefix(p.Bits() - mapped) // 0 to 32 bits fit
	return v4.String()
}

// networks reads a list of networks.
func (s section) networks(key string) []netip.Prefix {
	var out []netip.Prefix
	for _, it := range s.list(key, "192.0.2.0/24") {
		if p := s.network(it); p.IsValid() && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// believed reads networks whose word we take about others: the whole internet is not one.
func (s section) believed(key string) []netip.Prefix {
	networks := s.networks(key)
	for _, p := range networks {
		s.refuseAll(s.at(key), p)
	}
	return networks
}

func (r *reader) refuseAll(path string, p netip.Prefix) {
	if p.IsValid() && p.Bits() == 0 {
		r.fault(path, "would believe everybody", "name the networks you run yourself")
	}
}

// Address is where a socket listens. The zero Address is for none.
type Address struct {
	// Network is "tcp", "tcp4" or "unix", as net.Listen takes it, or "fd" for a socket that
	// systemd hands over. Tcp without a host or with [::] is one dual-stack socket.
	Network string
	// Name is host:port, a path or the name of systemd's socket.
	Name string
}

// String gives the address as the configuration spells it.
func (a Address) String() string {
	switch a.Network {
	case "unix", "fd":
		return a.Network + ":" + a.Name
	}
	return a.Name
}

// Canonical gives the one spelling of the address: with it, equal addresses are one socket. It looks
// at the symbolic links of today.
func (a Address) Canonical() Address {
	if a.Network == "unix" {
		a.Name = Canonical(a.Name)
	}
	return a
}

// Canonical gives the path of a socket or file from the root, without symbolic links in its folders
// as far as those are there. What lies at the path itself does not matter. Where the working
// directory cannot be told, the path stays as it is.
func Canonical(path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return filepath.Join(canonicalFolder(filepath.Dir(whole)), filepath.Base(whole))
}

// canonicalFolder follows the links of an absolute path as far as it is there.
func canonicalFolder(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	above := filepath.Dir(dir)
	if above == dir {
		return dir
	}
	return filepath.Join(canonicalFolder(above), filepath.Base(dir))
}

// socket reads the address of a TCP socket, or none when it is empty.
func (s section) socket(key, otherwise string) Address {
	text := s.text(key, otherwise)
	if text == "" || !s.sound(s.at(key)) {
		return Address{}
	}
	return s.tcp(item{s.at(key), text})
}

// listener reads an address in any of its three forms.
func (s section) listener(key, otherwise string) Address {
	text := s.text(key, otherwise)
	if !s.sound(s.at(key)) {
		return Address{}
	}
	form, name, _ := strings.Cut(text, ":")
	switch form {
	case "unix":
		s.checkUnix(s.at(key), name)
		return Address{"unix", filepath.Clean(name)}
	case "fd":
		if name == "" || len(name) > 255 || strings.ContainsAny(name, ": ") {
			s.fault(s.at(key), quoted(name)+" is not the name of a socket",
				"write the FileDescriptorName= of the socket unit, as fd:smtp")
		}
		return Address{"fd", name}
	}
	return s.tcp(item{s.at(key), text})
}

// Beside is the end of the name that a unix socket has until it takes its place.
const Beside = ".new"

// checkUnix: a path has to fit into the 107 bytes of sockaddr_un, unix(7), with Beside behind it.
func (r *reader) checkUnix(path, name string) {
	const longest = 107 - len(Beside)
	switch {
	case name == "":
		r.fault(path, "has no path", "write it as unix:/run/trapline/lmtp.sock")
	case len(name) > longest:
		r.fault(path, fmt.Sprintf("is longer than the %d bytes that a socket's path may have", longest),
			"shorten "+quoted(name))
	}
}

// tcp reads host:port. The host is a number, because a name may be another one at the next start.
func (r *reader) tcp(it item) Address {
	bad := func(problem string) Address {
		r.fault(it.path, quoted(it.text)+" "+problem, "write it as :25, 192.0.2.1:25 or [2001:db8::1]:25")
		return Address{}
	}
	host, port, err := net.SplitHostPort(it.text)
	if err != nil {
		return bad("is not host:port")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return bad("has no port from 0 to 65535")
	}
	port = strconv.FormatUint(n, 10)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch ip = ip.Unmap(); {
	case host == "":
		return Address{"tcp", ":" + port}
	case err != nil:
		return bad("has a host that is not an address")
	case ip == netip.IPv4Unspecified(): // "tcp" would make it dual-stack, see net.Listen
		return Address{"tcp4", net.JoinHostPort(ip.String(), port)}
	}
	return Address{"tcp", net.JoinHostPort(ip.String(), port)}
}

// endpoint is the address and port of a TCP socket; ok is false for others and for port 0, of
// which the kernel makes a free one.
func (a Address) endpoint() (ip netip.Addr, port uint16, ok bool) {
	host, digits, err := net.SplitHostPort(a.Name)
	if err != nil || !strings.HasPrefix(a.Network, "tcp") {
		return netip.Addr{}, 0, false
	}
	if host == "" {
		host = "::"
	}
	ip, err = netip.ParseAddr(host)
	n, _ := strconv.ParseUint(digits, 10, 16) // tcp has read it before
	return ip, uint16(n), err == nil && n != 0
}

// overlaps tells whether the two sockets, both canonical, cannot be bound side by side.
func (a Address) overlaps(b Address) bool {
	x, xPort, ok := a.endpoint()
	y, yPort, also := b.endpoint()
	if !ok || !also {
		return a == b && a.Network != "" && !strings.HasPrefix(a.Network, "tcp")
	}
	return xPort == yPort && (x == y || covers(x, y) || covers(y, x))
}

// covers tells whether a socket bound to the wildcard also takes what comes to the other address.
func covers(wildcard, other netip.Addr) bool {
	return wildcard == netip.IPv6Unspecified() || wildcard == netip.IPv4Unspecified() && other.Is4()
}
