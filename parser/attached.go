package parser

// Attached gives the messages attached to a report, decoded, in order: parts that are a message or
// the header of one, as abuse reports (RFC 5965), bounces and forwarded mail carry them. It looks
// at 100 parts in 8 levels at most, and into no attached message. The slices may share memory with
// the message, and are together no longer than it.
func Attached(message []byte) [][]byte {
	h := scanHeader(message, nil)
	var found [][]byte
	eachPart(&h, func(p *part) {
		if p.isMessage() {
			found = append(found, p.decoded(len(p.body)))
		}
	})
	return found
}

// isMessage tells whether the part is a message or the header of one (RFC 2046, 6522, 6532, 6533).
// QUIRK: some abuse reports leave out the plural of text/rfc822-headers.
func (p *part) isMessage() bool {
	return p.media.is("message/rfc822", "message/global", "text/rfc822-headers",
		"message/global-headers", "text/rfc822-header")
}
