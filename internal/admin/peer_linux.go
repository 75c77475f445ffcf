package admin

import (
	"context"
	"fmt"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// ConnContext notes who is at the other end of a connection to the socket, as
// the kernel tells it: unix(7), SO_PEERCRED. It is http.Server's ConnContext.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return ctx
	}
	var peer *unix.Ucred
	ctrl := raw.Control(func(fd uintptr) {
		peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if ctrl != nil || err != nil {
		return ctx
	}
	return context.WithValue(ctx, peerKey{}, nameOf(peer.Uid))
}

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
