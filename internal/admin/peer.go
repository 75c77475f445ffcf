package admin

import "context"

// peerKey finds in a context who is at the other end.
type peerKey struct{}

// whoIn gives the author of the orders that come over a connection.
func whoIn(ctx context.Context) string {
	if who, ok := ctx.Value(peerKey{}).(string); ok {
		return who
	}
	return "operator"
}
