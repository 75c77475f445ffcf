package trap

import (
	"net/netip"
	"time"
)

// Observer learns how things ended: one method for each outcome. Methods are called from many
// sessions at once, between reading and writing, so they must not block. No argument holds bytes
// that a peer chose, nor an address of a trap or reporter; peer is the declared client behind a
// proxy, and the zero Addr on a unix socket. Every why and kind is one of the words listed here.
type Observer interface {
	// ConnectionRefused: the connection ended before its greeting. why: connections,
	// connections-per-ip, connections-per-network, rate-per-ip, rate-per-network (too many new
	// ones of late), proxy-header (none, or an unreadable one; peer is then the proxy), peer (LMTP
	// from a stranger).
	ConnectionRefused(peer netip.Addr, why string)
	// SessionEnded follows each greeting. why: quit, closed (by the peer, or its half), reset (by
	// the peer), timeout (of a command, of content, or of a reply that nobody reads), errors (too
	// many), rate (too many messages begun of late), bytes (too many), no-client (PROXY without
	// one), protocol (not SMTP at all), tls (no handshake, or broken records), shutdown, cut,
	// fault. bytes are those read as commands and content. A probe is a session without messages
	// and with few commands or none.
	SessionEnded(peer netip.Addr, why string, commands, messages int, bytes int64,
		lasted time.Duration)
	// RecipientRefused: why: stranger, resting, mixed (traps and reporters), too-many.
	RecipientRefused(peer netip.Addr, why string)
	// MessageTaken: the sink has it. class: trap, reporter, mailbox. took is the sink's time.
	MessageTaken(peer netip.Addr, class string, recipients int, size int64, took time.Duration)
	// MessageNotTaken: the sender keeps it, told so at MAIL or after the content, or it was never
	// whole. why: busy, full, fault (other errors of sink or gate), memory, rate, bytes (beyond
	// those of the session), timeout, cut (by Shutdown), broken (the connection ended within the
	// content).
	MessageNotTaken(peer netip.Addr, why string)
	// TLSFailed: why: timeout, closed, not-tls, handshake.
	TLSFailed(peer netip.Addr, why string)
	// ProtocolAbuse: told once per session and kind. kind: http, tls (a handshake where none
	// was agreed), proxy (a PROXY header from a peer that is no proxy), auth, early (did not
	// wait for the greeting, or an answer it must wait for), injection (bytes behind STARTTLS), smuggling (an end
	// of data that some servers believe and we do not), long-line.
	ProtocolAbuse(peer netip.Addr, kind string)
	// Fault: the server or its sink misbehaved. where: accept, session (a panic, caught). detail
	// is for the operator alone: of a panic it may hold anything.
	Fault(where, detail string)
}

// The words an Observer hears.
const (
	whyConnections = "connections"
	whyPerIP       = "connections-per-ip"
	whyPerNetwork  = "connections-per-network"
	whyRate        = "rate-per-ip"
	whyNetworkRate = "rate-per-network"
	whyProxyHeader = "proxy-header"
	whyPeer        = "peer"

	endQuit     = "quit"
	endClosed   = "closed"
	endTimeout  = "timeout"
	endErrors   = "errors"
	endRate     = "rate"
	endBytes    = "bytes"
	endReset    = "reset"
	endNoClient = "no-client"
	endProtocol = "protocol"
	endTLS      = "tls"
	endShutdown = "shutdown"
	endCut      = "cut"
	endFault    = "fault"

	refusedStranger = "stranger"
	refusedResting  = "resting"
	refusedMixed    = "mixed"
	refusedTooMany  = "too-many"

	keptBusy    = "busy"
	keptFull    = "full"
	keptFault   = "fault"
	keptMemory  = "memory"
	keptRate    = "rate"
	keptBytes   = "bytes"
	keptTimeout = "timeout"
	keptCut     = "cut"
	keptBroken  = "broken"

	abuseHTTP      = "http"
	abuseTLS       = "tls"
	abuseProxy     = "proxy"
	abuseAuth      = "auth"
	abuseEarly     = "early"
	abuseInjection = "injection"
	abuseSmuggling = "smuggling"
	abuseLongLine  = "long-line"
)
