// Package parser finds the address a message came from that nobody could have planted.
//
// In come the bytes of a message, what our own SMTP session knew of its peer, and the hosts the
// operator vouches for. Out comes a [Trace]: the source and the reason for it, every hop that was
// believed and who wrote it, the cause the message shows and the marks that decided. [Annotate] adds
// what helps a person judge it, [Attached] takes the reported messages out of a report.
//
// The walk starts from what is certain and stops at the first host outside the trusted ones:
//
//  1. The peer of our own connection is certain; no header changes that.
//  2. A Received line is believed only if the host that wrote it is certain, by its address and by
//     the name it gives itself; without a connection only the topmost line, by its name.
//  3. Out of a believed line comes the peer's address, from the place where that mail server's
//     grammar puts it (grammar.go). HELO, ident, PTR names and forwarded-for lists are the
//     sender's words, whatever they look like.
//  4. A line that no grammar fits, or that can be read in two ways, ends the walk with no source.
//     It is never skipped, and there is no "first address anywhere".
//
// The cause is another matter: it is partly read from the sender's words. It explains a hit and
// can neither save nor damn a source.
//
// The package must never fail, panic, block, read a clock or do I/O, and never remember anything
// between two messages. Hostile bytes are evidence, not errors: they are named in Trace.Defects.
// Time is linear in the message and memory bounded by the limits in header.go and line.go.
package parser
