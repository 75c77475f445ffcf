package trap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// Sizes of PROXY headers, version 1 section 2.1 and version 2 section 2.2.
const (
	mostVersion1 = 107 // with its CRLF
	fixedPart    = 16  // of version 2: signature, command, family and the length of the rest
)

var errNoHeader = errors.New("no PROXY header")

// readProxy reads the PROXY header, version 1 or 2, that must come first, in however many pieces.
// client is the zero AddrPort if the header names none that is of use (LOCAL, UNKNOWN, no stream,
// no address). It is never the proxy's own address, which the library falls back to in
// RemoteAddr. It is an error if there is no header or none that can be read.
//
// Not a byte behind the header is taken from r.
func readProxy(r io.Reader) (client netip.AddrPort, err error) {
	raw, err := frameProxy(r)
	if err != nil {
		return netip.AddrPort{}, err
	}
	header, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return declaredClient(header), nil
}

// frameProxy reads as many bytes as the header has: the library would take what comes behind it
// as well, and refuses a version 1 that comes in pieces.
func frameProxy(r io.Reader) ([]byte, error) {
	header := make([]byte, 1, mostVersion1)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	switch header[0] {
	case proxyproto.SIGV1[0]:
		return frameVersion1(r, header)
	case proxyproto.SIGV2[0]:
		return frameVersion2(r, header)
	}
	return nil, errNoHeader
}

// frameVersion1 reads up to the line feed, a byte at a time.
func frameVersion1(r io.Reader, header []byte) ([]byte, error) {
	for len(header) < mostVersion1 && header[len(header)-1] != '\n' {
		header = header[:len(header)+1]
		if _, err := io.ReadFull(r, header[len(header)-1:]); err != nil {
			return nil, err
		}
	}
	return header, nil
}

func frameVersion2(r io.Reader, header []byte) ([]byte, error) {
	header = header[:fixedPart]
	if _, err := io.ReadFull(r, header[1:]); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(header, proxyproto.SIGV2) {
		return nil, errNoHeader
	}
	length := binary.BigEndian.Uint16(header[fixedPart-2:])
	if length > proxyproto.MaxV2HeaderSize {
		return nil, errNoHeader
	}
	rest := make([]byte, length)
	_, err := io.ReadFull(r, rest)
	return append(header, rest...), err
}

func declaredClient(h *proxyproto.Header) netip.AddrPort {
	if !h.Command.IsProxy() || !h.TransportProtocol.IsStream() {
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
