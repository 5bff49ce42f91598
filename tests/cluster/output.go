package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxLogLine is the size at which container runtimes split a line into partial entries, in bytes.
const maxLogLine = 16 << 10

// output is what a container writes: it goes to the log file in the CRI format (`TIME stdout F line`) and, as it is,
// to everybody attached.
type output struct {
	mu       sync.Mutex
	log      *os.File
	rest     map[string][]byte // the unfinished line of each stream
	attached map[*attachment]struct{}
}

// attachment takes a copy of each stream; a nil writer takes nothing.
type attachment struct{ stdout, stderr io.Writer }

func openOutput(path string) (*output, error) {
	log, err := openLog(path)
	if err != nil {
		return nil, err
	}
	return &output{log: log, rest: map[string][]byte{}, attached: map[*attachment]struct{}{}}, nil
}

func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// reopen goes on in a new file at the same path, after the old one was renamed.
func (o *output) reopen(path string) error {
	log, err := openLog(path)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.log.Close()
	o.log = log
	return nil
}

// stream returns the writer for `stdout` or `stderr`.
func (o *output) stream(name string) io.Writer { return outputStream{o, name} }

func (o *output) attach(a *attachment) (detach func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attached[a] = struct{}{}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.attached, a)
	}
}

// close logs what is left of unfinished lines.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for stream, rest := range o.rest {
		if len(rest) > 0 {
			o.entry(stream, "P", rest)
		}
	}
	_ = o.log.Close()
}

func (o *output) write(stream string, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for a := range o.attached {
		w := a.stdout
		if stream == "stderr" {
			w = a.stderr
		}
		if w != nil {
			_, _ = w.Write(data) // who is attached may leave at any time
		}
	}
	pending := append(o.rest[stream], data...)
	for {
		end := bytes.IndexByte(pending, '\n')
		switch {
		case end >= 0 && end <= maxLogLine:
			o.entry(stream, "F", pending[:end])
			pending = pending[end+1:]
		case len(pending) > maxLogLine:
			o.entry(stream, "P", pending[:maxLogLine])
			pending = pending[maxLogLine:]
		default:
			o.rest[stream] = pending
			return
		}
	}
}

func (o *output) entry(stream, tag string, line []byte) {
	_, _ = fmt.Fprintf(o.log, "%s %s %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), stream, tag, line)
}

type outputStream struct {
	output *output
	name   string
}

// Write never fails: a full disk must not kill a container that logs.
func (s outputStream) Write(data []byte) (int, error) {
	s.output.write(s.name, data)
	return len(data), nil
}
