package parser

// Attached gives the messages attached to a report, decoded, in order: parts that are a message or
// the header of one, as abuse reports (RFC 5965), bounces and forwarded mail carry them. It looks
// at 100 parts in 8 levels at most, and into no attached message. The slices may share memory with
// the message.
func Attached(message []byte) [][]byte {
	h := scanHeader(message, nil)
	var found [][]byte
	eachPart(&h, func(p part) {
		if p.media.is(messageTypes[:]...) || p.media.is(headerTypes[:]...) {
			found = append(found, p.decoded())
		}
	})
	return found
}

// The types of parts that hold a message, and of those that hold a header alone (RFC 2046, 6522,
// 6532, 6533).
var (
	messageTypes = [...]string{"message/rfc822", "message/global"}
	headerTypes  = [...]string{"text/rfc822-headers", "message/global-headers"}
)
