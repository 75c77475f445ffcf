package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// apart are the arguments by which a program has network, mounts and processes of its own, all of
// which end with it.
var apart = []string{"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}

// lay gives the namespace's network the addresses that mail comes from (RFC 5737). They are local,
// and count as any other: what comes from loopback has no source, and so no verdict to pay for.
const lay = `ip link set lo up && ip route add local ` + network + ` dev lo && exec "$0" "$@"`

// network is where all mail comes from and goes to, where we may make our own.
const network = "198.51.100.0/24"

// runApart runs this program once more, in namespaces of its own, with a folder for its files.
func runApart(ctx context.Context, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	args := append(apart[:len(apart):len(apart)], "sh", "-c", lay, self, "-inside", dir)
	cmd := exec.CommandContext(ctx, "unshare", append(args, os.Args[1:]...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
