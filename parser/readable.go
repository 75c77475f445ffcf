package parser

import "strings"

// Piece is a part of a message that has no parts of its own, decoded.
type Piece struct {
	Type    string // its media type in lower case, without parameters
	Content []byte // its first bytes
}

// Pieces gives the parts that a message has, in order, and the first bytes of each, limit at most.
// It looks at 100 parts in 8 levels at most; an attached message is one part. What names no type is
// plain text (RFC 2045 section 5.2).
func Pieces(message []byte, limit int) []Piece {
	h := scanHeader(message, nil)
	var found []Piece
	eachPart(&h, func(p *part) {
		kind := strings.ToLower(p.media.kind())
		if kind == "" {
			kind = "text/plain"
		}
		found = append(found, Piece{kind, p.decoded(limit)})
	})
	return found
}
