package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// screen is standard error: messages, and on a terminal a line below them that
// shows how far the work is.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	quiet bool
	live  bool // there is a progress line
	color bool

	times       *times
	files, of   int
	bytes       int64 // in all files, 0 where it is not known
	begin       time.Time
	bad, unsaid int64
	verbose     bool
	stop        func()
}

// newScreen looks at what standard error is. The progress is shown where a person
// sees it and nothing else is written to the same terminal.
func newScreen(out io.Writer, o *anonymizeOptions, toStdout bool) *screen {
	s := &screen{out: out, quiet: o.quiet, verbose: o.verbose, begin: time.Now(), stop: func() {}}
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return s
	}
	s.color = os.Getenv("NO_COLOR") == ""
	s.live = !o.quiet && !(toStdout && term.IsTerminal(int(os.Stdout.Fd())))
	return s
}

// start begins to show the progress of the tasks.
func (s *screen) start(t *times, tasks []task) {
	s.times = t
	for i := range tasks {
		if !tasks[i].done {
			s.of++
			s.bytes += tasks[i].size
		}
	}
	if !s.live {
		return
	}
	ticker := time.NewTicker(200 * time.Millisecond)
	end := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
		for {
			select {
			case <-ticker.C:
				s.mu.Lock()
				s.draw()
				s.mu.Unlock()
			case <-end:
				return
			}
		}
	})
	s.stop = func() {
		ticker.Stop()
		close(end)
		gone.Wait()
		s.mu.Lock()
		s.clear()
		s.live = false
		s.mu.Unlock()
	}
}

func (s *screen) fileDone() {
	s.mu.Lock()
	s.files++
	s.mu.Unlock()
}

// say writes a line of text.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.out, format+"\n", args...)
	if s.live {
		s.draw()
	}
}

// saidLines is how many lines that are left out are told one by one.
const saidLines = 10

// leftOut tells of a line that is left out; of many, only the first.
func (s *screen) leftOut(file string, err error) {
	s.mu.Lock()
	s.bad++
	first := s.bad <= saidLines || s.verbose
	if !first {
		s.unsaid++
	}
	s.mu.Unlock()
	if first {
		s.say("%s %s: %v", s.paint(33, "left out:"), file, err)
	}
}

// paint colors a text on a terminal.
func (s *screen) paint(code int, text string) string {
	if !s.color {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

func (s *screen) clear() {
	if s.live {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
}

// draw shows the progress in one line, cut to the terminal's width.
func (s *screen) draw() {
	line := s.progress(time.Since(s.begin))
	if f, ok := s.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 && len(line) >= width {
			line = line[:width-1]
		}
	}
	fmt.Fprint(s.out, "\r"+line+"\x1b[K")
}

// progress is ASCII, so that it can be cut anywhere.
func (s *screen) progress(took time.Duration) string {
	stored, seconds := s.times.stored.Load(), took.Seconds()
	var text string
	if s.of > 1 {
		text = fmt.Sprintf("%d/%d files  ", s.files, s.of)
	}
	text += megabytes(stored)
	if s.bytes > 0 {
		text += fmt.Sprintf(" of %s  %d%%", megabytes(s.bytes), 100*min(stored, s.bytes)/s.bytes)
	}
	text += "  " + plural(s.times.lines.Load(), "line")
	if s.bad > 0 {
		text += "  " + leftOut(s.bad)
	}
	text += fmt.Sprintf("  %.0f MB/s", float64(s.times.bytes.Load())/1e6/max(seconds, 1e-9))
	if s.bytes > 0 && stored > 0 && seconds > 1 {
		rest := time.Duration(float64(took) * float64(max(s.bytes-stored, 0)) / float64(stored))
		text += "  " + clock(rest) + " to go"
	} else {
		text += "  " + clock(took)
	}
	return text
}

// clock is a duration as 1:02:03 or 2:03.
func clock(d time.Duration) string {
	n := int(d.Round(time.Second).Seconds())
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}
