package trap

import (
	"net"
	"syscall"
)

// talksAlready says whether the peer has sent something before it was greeted, which RFC 5321
// section 3.1 has it wait for: who does not wait sends blindly. It only looks; what was sent is
// read and answered like anything else, for mail of such a peer is mail to a trap as well. Only
// sockets can be looked into.
func talksAlready(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	waiting := 0
	err = raw.Control(func(fd uintptr) {
		var first [1]byte
		waiting, _, _ = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && waiting > 0
}
