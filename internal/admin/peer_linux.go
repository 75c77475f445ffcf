package admin

import (
	"context"
	"net"

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
