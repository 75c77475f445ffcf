package trap

import (
	"net/netip"
	"time"
)

// Envelope is what the connection knew about a message. Helo and MailFrom are the peer's own
// bytes, anything but a line feed: quote them before showing them.
type Envelope struct {
	// Peer is the other end of the connection, the declared client behind a proxy. An IPv4
	// client is never written as an IPv6 address. The zero AddrPort on a unix socket.
	Peer  netip.AddrPort
	Proxy netip.Addr // the proxy's address where a PROXY header named the peer, else zero
	// Local says that the message came over a unix socket: whoever may open it is trusted as a
	// relay, and the source has to be read from the Received lines.
	Local    bool
	Listener string // the address listened on
	Hostname string // the name we greeted with
	// Protocol is the keyword of RFC 3848 and RFC 6531 for a Received line's "with": SMTP,
	// ESMTP, ESMTPS, LMTP, LMTPS, and UTF8SMTP and so on where MAIL asked for SMTPUTF8.
	Protocol string
	Helo     string // the argument of HELO, EHLO or LHLO; empty if none was said
	MailFrom string // the reverse path without its brackets; empty for <>
	// Recipients are the ones that were taken, in order, each address once: traps and
	// mailboxes, or one reporter.
	Recipients []Recipient
	TLS        string    // as "TLS1.3 TLS_AES_128_GCM_SHA256"; empty in the clear
	Time       time.Time // our clock at the end of DATA
}

// Message is one transaction that was read to its end.
type Message struct {
	Envelope
	// Head is the content as sent, dots unstuffed, without the line that ended it: its first
	// 256 KiB, of a reporter's message all up to Limits.MessageBytes. Copy what must outlive
	// Accept.
	Head []byte
	Size int64 // bytes of the whole content, RFC 1870 section 3
	// Digest is the SHA-256 of the whole content, of which Head may be the beginning only.
	Digest [32]byte
	// Oversize says that the content was, or was declared to be, larger than
	// Limits.MessageBytes. The sender is told 552 5.3.4 once the message is stored.
	Oversize bool
}

// class names the transaction to the Observer: that of the recipient that counts most.
func (e *Envelope) class() Class {
	class := Mailbox
	for _, r := range e.Recipients {
		if r.Class != Mailbox {
			class = r.Class
		}
	}
	return class
}
