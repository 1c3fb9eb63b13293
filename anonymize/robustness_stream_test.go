package anonymize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// streamed is what a stream comes to: its lines, those it refuses, and its counts.
type streamed struct {
	out, rejected string
	stats         Stats
}

func runStream(t testing.TB, e *Engine, data []byte, o StreamOptions) streamed {
	t.Helper()
	var out, bad bytes.Buffer
	o.Reject = func(line int64, in []byte, err error) error {
		reason := "?"
		var l *LineError
		if errors.As(err, &l) {
			reason = l.Reason
			if l.Line != line {
				t.Errorf("the error says line %d, Reject line %d", l.Line, line)
			}
		}
		fmt.Fprintf(&bad, "%d %s %s\n", line, reason, in)
		return nil
	}
	stats, err := e.Stream(context.Background(), &out, bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Lines != stats.Written+stats.Dropped+stats.Rejected || stats.BytesIn != int64(len(data)) || stats.BytesOut != int64(out.Len()) {
		t.Errorf("the counts do not add up: %+v", stats)
	}
	if n := int64(strings.Count(out.String(), "\n")); n != stats.Written {
		t.Errorf("%d lines are written, counted are %d", n, stats.Written)
	}
	return streamed{out.String(), bad.String(), stats}
}

// TestStreamInputs: what becomes of odd files, with any size of chunks and any number
// of workers. The longest line has 64 bytes.
func TestStreamInputs(t *testing.T) {
	const a, b = `{"resourceType":"Patient","id":"a"}`, `{"resourceType":"Patient","id":"b"}`
	line64 := `{"resourceType":"Patient","id":"` + strings.Repeat("x", 30) + `"}`
	line65 := `{"resourceType":"Patient","id":"` + strings.Repeat("x", 31) + `"}`
	for _, c := range []struct {
		name, in, want, rejected string
		blank                    int64
	}{
		{"nothing", "", "", "", 0},
		{"one line", a + "\n", a + "\n", "", 0},
		{"no end of line at the end", a + "\n" + b, a + "\n" + b + "\n", "", 0},
		{"CRLF", a + "\r\n" + b + "\r\n", a + "\n" + b + "\n", "", 0},
		{"blank lines", "\n" + a + "\n\n\r\n \t\n" + b + "\n\n", a + "\n" + b + "\n", "", 5},
		{"blanks at the end", a + "\n   ", a + "\n", "", 1},
		{"a byte order mark", "\ufeff" + a + "\n" + b, a + "\n" + b + "\n", "", 0},
		{"a byte order mark and nothing", "\ufeff", "", "", 1},
		{"a byte order mark further on", a + "\n\ufeff" + b + "\n", a + "\n", "2 invalid-json \ufeff" + b + "\n", 0},
		{"a bad line between", a + "\nx\n" + b + "\n", a + "\n" + b + "\n", "2 invalid-json x\n", 0},
		{"numbers of lines count blank ones", "\n\nx\n", "", "3 invalid-json x\n", 2},
		{"a line of the longest length", line64 + "\n" + a, line64 + "\n" + a + "\n", "", 0},
		{"a line one longer", line65 + "\n" + a + "\n", a + "\n", "1 too-long " + line65[:64] + "\n", 0},
		{"a line one longer at the end", a + "\n" + line65, a + "\n", "2 too-long " + line65[:64] + "\n", 0},
		{"a line one longer with its CR", line64 + "\r\n" + a + "\n", a + "\n", "1 too-long " + line64 + "\n", 0},
		{"a long line of blanks", strings.Repeat(" ", 1000) + "\n" + a + "\n", a + "\n", "1 too-long " + strings.Repeat(" ", 64) + "\n", 0},
		{"a long line that begins with blanks", strings.Repeat(" ", 1000) + a + "\n" + b + "\n", b + "\n", "1 too-long " + strings.Repeat(" ", 64) + "\n", 0},
		{"two long lines", line65 + "\n" + line65 + "\n", "", "1 too-long " + line65[:64] + "\n2 too-long " + line65[:64] + "\n", 0},
		{"a lone CR", a + "\r" + b[:10], "", "1 invalid-json " + a + "\r" + b[:10] + "\n", 0},
	} {
		e := compileText(t, `{"fhirPathRules":[]}`)
		for _, chunk := range []int{1, 7, 64, 100, 1 << 20} {
			for _, workers := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%d/%d", c.name, chunk, workers), func(t *testing.T) {
					got := runStream(t, e, []byte(c.in), StreamOptions{ChunkBytes: chunk, Workers: workers, MaxLineBytes: 64})
					if got.out != c.want || got.rejected != c.rejected || got.stats.Blank != c.blank {
						t.Errorf("\n got %q, refused %q, %d blank\nwant %q, refused %q, %d blank", got.out, got.rejected, got.stats.Blank, c.want, c.rejected, c.blank)
					}
				})
			}
		}
	}
}
