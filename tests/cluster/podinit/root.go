package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// oldRoot is where the host is seen while the new root is being made.
const oldRoot = "/.host"

var (
	// programs come from the host, read-only: a container has the host's shell and tools whatever its image says.
	programs = []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc/alternatives", "etc/ssl"}
	// settings are copied, because volumes may be mounted beside them.
	settings = []string{"etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/ld.so.cache", "etc/hosts", "etc/resolv.conf"}
	empty    = []string{"etc", "tmp", "run", "var/log", "var/tmp", "proc", "sys", "dev/shm", "root", "home"}
	devices  = []string{"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty", "dev/ptmx", "dev/pts"}
	links    = map[string]string{
		"var/run": "/run", "dev/fd": "/proc/self/fd",
		"dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1", "dev/stderr": "/proc/self/fd/2",
	}
)

// makeRoot builds the container's file system and makes it the root. Nothing of the host's data is in it.
func makeRoot(s spec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot make mounts private: %w", err)
	}
	if err := unix.Mount("root", s.Root, "tmpfs", unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("cannot mount a root file system: %w", err)
	}
	hidden := filepath.Join(s.Root, oldRoot)
	if err := os.Mkdir(hidden, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(s.Root, hidden); err != nil {
		return fmt.Errorf("cannot change the root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := populate(); err != nil {
		return err
	}
	for _, m := range s.Mounts {
		if err := bind(filepath.Join(oldRoot, m.From), m.To, m.ReadOnly); err != nil {
			return err
		}
	}
	if err := unix.Unmount(oldRoot, unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Remove(oldRoot)
}

func populate() error {
	for _, name := range empty {
		if err := os.MkdirAll("/"+name, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if err := os.Chmod(name, 0o1777); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("cannot mount /proc: %w", err)
	}
	for _, name := range programs {
		if err := share(name, true); err != nil {
			return err
		}
	}
	for _, name := range devices {
		if err := share(name, false); err != nil {
			return err
		}
	}
	for _, name := range settings {
		content, err := os.ReadFile(filepath.Join(oldRoot, name))
		if err != nil {
			continue // not every host has every one
		}
		if err := os.WriteFile("/"+name, content, 0o644); err != nil {
			return err
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, "/"+name); err != nil {
			return err
		}
	}
	return nil
}

// share shows a host path in the container at the same place: links as links, the rest by bind mount. What the host
// does not have is left out.
func share(name string, readOnly bool) error {
	from := filepath.Join(oldRoot, name)
	info, err := os.Lstat(from)
	if err != nil {
		return nil
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, "/"+name)
	}
	return bind(from, "/"+name, readOnly)
}

// bind mounts a folder or file, making its place first.
func bind(from, to string, readOnly bool) error {
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("cannot mount on `%s`: %w", to, err)
	}
	if err := makePlace(to, info.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("cannot mount on `%s`: %w", to, err)
	}
	if !readOnly {
		return nil
	}
	if err := unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("cannot make the mount on `%s` read-only: %w", to, err)
	}
	return nil
}

func makePlace(path string, isDir bool) error {
	if isDir {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}
