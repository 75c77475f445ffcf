package trap

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// readProxy reads the PROXY header, version 1 or 2, that must come first. client is the zero
// AddrPort if the header names none that is of use (LOCAL, UNKNOWN, no stream, no address). It is
// never the proxy's own address, which the library falls back to in RemoteAddr. ok is false if
// there is no header or none that can be read.
//
// The connection returned must be used from now on: it holds bytes that came with the header.
func readProxy(raw net.Conn) (conn net.Conn, client netip.AddrPort, ok bool) {
	wrapped := proxyproto.NewConn(raw, proxyproto.WithPolicy(proxyproto.REQUIRE),
		proxyproto.SetReadHeaderTimeout(proxyTimeout))
	header := wrapped.ProxyHeader() // nil is how the library tells an error here
	return wrapped, declaredClient(header), header != nil
}

func declaredClient(h *proxyproto.Header) netip.AddrPort {
	if h == nil || !h.Command.IsProxy() || !h.TransportProtocol.IsStream() {
		return netip.AddrPort{}
	}
	client := addrPort(h.SourceAddr)
	if client.Addr().IsUnspecified() {
		return netip.AddrPort{}
	}
	return client
}

// addrPort returns the address of a TCP end, IPv4 as IPv4 and without a zone; zero for others.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(tcp.Port))
}
