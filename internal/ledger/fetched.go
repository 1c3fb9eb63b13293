package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"fhirdeid/internal/storage"
)

// Fetched says which attempt at an entry of the manifest counts. It is created
// once; only the files it names belong to the run, others are debris.
type Fetched struct {
	Output  int    `json:"output"`
	Type    string `json:"type"`
	Attempt string `json:"attempt"`
	// Files are the raw files in order. An empty output has none.
	Files []RawFile `json:"files"`
	Lines int64     `json:"lines"`
	Bytes int64     `json:"bytes"`
	// Expected is the manifest's count, -1 where none was given.
	Expected int64 `json:"expected"`
	// Failure is the code of a fault that another try cannot mend; such an
	// entry has no files.
	Failure string `json:"failure,omitempty"`
	// Severities counts the issues of an error file, by severity.
	Severities map[string]int64 `json:"severities,omitempty"`
}

// RawFile is one file of an output as stored.
type RawFile struct {
	ETag  storage.ETag `json:"etag"`
	Lines int64        `json:"lines"`
	Bytes int64        `json:"bytes"`
}

// FetchedSummary is what a listing tells of a Fetched record, so that the
// heartbeat need not read each one.
type FetchedSummary struct {
	Output   int
	Attempt  string
	Files    int
	Lines    int64
	Bytes    int64
	Expected int64
	Failure  string
	Type     string
	// ETags is ETagsDigest of the files' ETags in order.
	ETags string
	At    time.Time
}

// Mismatched reports whether the server's count and the lines differ.
func (f FetchedSummary) Mismatched() bool {
	return f.Failure == "" && f.Expected >= 0 && f.Expected != f.Lines
}

// ETagsDigest condenses the ETags of an output's files.
func ETagsDigest(etags iter.Seq[storage.ETag]) string {
	h := sha256.New()
	for e := range etags {
		fmt.Fprintf(h, "%s\n", e)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (f *Fetched) digest() string {
	return ETagsDigest(func(yield func(storage.ETag) bool) {
		for _, file := range f.Files {
			if !yield(file.ETag) {
				return
			}
		}
	})
}

// CreateFetched writes the record of an entry. storage.ErrCondition means that
// another attempt was recorded first.
func (l *Ledger) CreateFetched(ctx context.Context, run string, f *Fetched) error {
	meta := map[string]string{
		"type":     f.Type,
		"attempt":  f.Attempt,
		"files":    strconv.Itoa(len(f.Files)),
		"lines":    strconv.FormatInt(f.Lines, 10),
		"bytes":    strconv.FormatInt(f.Bytes, 10),
		"expected": strconv.FormatInt(f.Expected, 10),
		"etags":    f.digest(),
	}
	if f.Failure != "" {
		meta["failure"] = f.Failure
	}
	_, err := l.put(ctx, fetchedName(run, f.Output), f, storage.PutOptions{If: storage.IfAbsent(), Metadata: meta})
	if err != nil {
		return fmt.Errorf("recording output %d of run %s as fetched: %w", f.Output, run, err)
	}
	return nil
}

// HasFetched reports whether an entry is recorded.
func (l *Ledger) HasFetched(ctx context.Context, run string, output int) (bool, error) {
	_, err := l.c.Head(ctx, fetchedName(run, output))
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the record of output %d of run %s: %w", output, run, err)
	}
	return true, nil
}

// Fetched reads the record of an entry.
func (l *Ledger) Fetched(ctx context.Context, run string, output int) (*Fetched, error) {
	var f Fetched
	if _, err := l.get(ctx, fetchedName(run, output), &f); err != nil {
		return nil, fmt.Errorf("reading the record of output %d of run %s: %w", output, run, err)
	}
	return &f, nil
}

// DeleteFetched forgets an entry's record, so that it is fetched again.
func (l *Ledger) DeleteFetched(ctx context.Context, run string, output int) error {
	if err := l.c.Delete(ctx, fetchedName(run, output)); err != nil {
		return fmt.Errorf("deleting the record of output %d of run %s: %w", output, run, err)
	}
	return nil
}

// FetchedSummaries lists the recorded entries in order.
func (l *Ledger) FetchedSummaries(ctx context.Context, run string) iter.Seq2[FetchedSummary, error] {
	prefix := fetchedPrefix(run)
	return func(yield func(FetchedSummary, error) bool) {
		for info, err := range l.c.List(ctx, prefix) {
			if err != nil {
				yield(FetchedSummary{}, fmt.Errorf("listing the fetched outputs of run %s: %w", run, err))
				return
			}
			if !yield(parseSummary(prefix, info)) {
				return
			}
		}
	}
}

func parseSummary(prefix string, info storage.Info) (FetchedSummary, error) {
	var bad error
	number := func(key string) int64 {
		n, err := strconv.ParseInt(info.Metadata[key], 10, 64)
		if err != nil && bad == nil {
			bad = fmt.Errorf("the record %s has no number %q in its metadata", info.Name, key)
		}
		return n
	}
	output, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(info.Name, prefix), ".json"))
	if err != nil {
		return FetchedSummary{}, fmt.Errorf("the record %s has no output number in its name", info.Name)
	}
	s := FetchedSummary{
		Output:   output,
		Type:     info.Metadata["type"],
		Attempt:  info.Metadata["attempt"],
		Files:    int(number("files")),
		Lines:    number("lines"),
		Bytes:    number("bytes"),
		Expected: number("expected"),
		Failure:  info.Metadata["failure"],
		ETags:    info.Metadata["etags"],
		At:       info.Modified,
	}
	return s, bad
}

func fetchedPrefix(run string) string { return "runs/" + run + "/fetched/" }

func fetchedName(run string, output int) string {
	return fmt.Sprintf("%s%06d.json", fetchedPrefix(run), output)
}
