package admin

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// peerKey finds in a context who is at the other end.
type peerKey struct{}

// whoIn gives the author of the orders that come over a connection.
func whoIn(ctx context.Context) string {
	if who, ok := ctx.Value(peerKey{}).(string); ok {
		return who
	}
	return "operator"
}

// Self is the author of the orders that this process carries out by itself.
func Self() string { return nameOf(uint32(os.Getuid())) }

// nameOf is "uid 1000 (alice)". The number is what the kernel vouches for; the
// name is what it means on this machine today.
func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	u, err := user.LookupId(id)
	if err != nil {
		return "uid " + id
	}
	return fmt.Sprintf("uid %s (%s)", id, u.Username)
}
