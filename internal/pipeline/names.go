package pipeline

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// RunID names a run after the instant it was scheduled for. A timer that fires
// on schedule has that instant in the past or present; one fired by hand is
// told of tonight's, so such a run is named after now, with a suffix. A timer
// may fire a moment early, and clocks differ.
func RunID(scheduled, now time.Time) string {
	if !scheduled.IsZero() && !scheduled.After(now.Add(timerSlack)) {
		return scheduled.UTC().Format(runFormat)
	}
	return now.UTC().Format(runFormat) + "-manual"
}

// timerSlack is how early a timer may fire.
const timerSlack = time.Minute

const runFormat = "20060102T150405Z"

// rawFile is the name of a raw file, and of its result in staging:
// <run>/<Type>.<output>.<attempt>.<piece>.ndjson.
type rawFile struct {
	Run     string
	Type    string
	Output  int
	Attempt string
	Piece   int
}

func (f rawFile) String() string {
	return fmt.Sprintf("%s/%s.%06d.%s.%04d.ndjson", f.Run, f.Type, f.Output, f.Attempt, f.Piece)
}

var rawFilePattern = regexp.MustCompile(`^([0-9]{8}T[0-9]{6}Z(?:-[a-z0-9]+)?)/([A-Z][A-Za-z]{0,63})\.([0-9]{6,9})\.([0-9a-f]{8})\.([0-9]{4,9})\.ndjson$`)

// parseRawFile tells what a blob name says; ok is false when the blob is none
// of ours.
func parseRawFile(name string) (f rawFile, ok bool) {
	m := rawFilePattern.FindStringSubmatch(name)
	if m == nil {
		return rawFile{}, false
	}
	output, err1 := strconv.Atoi(m[3])
	piece, err2 := strconv.Atoi(m[5])
	if err1 != nil || err2 != nil {
		return rawFile{}, false
	}
	return rawFile{Run: m[1], Type: m[2], Output: output, Attempt: m[4], Piece: piece}, true
}

var typePattern = regexp.MustCompile(`^[A-Z][A-Za-z]{0,63}$`)

// isTypeName reports whether a manifest's type can be part of a name.
func isTypeName(s string) bool { return typePattern.MatchString(s) }

// serverDir holds what a server said, beside the raw files of the run.
func serverDir(run string) string { return run + "/server/" }
