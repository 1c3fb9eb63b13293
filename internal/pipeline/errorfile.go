package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// fetchErrors keeps one of the manifest's error files beside the raw data and
// counts its issues by severity. Its words stay there: they may hold anything.
func (p *Pipeline) fetchErrors(ctx context.Context, run *ledger.Run, e entry, fetched *ledger.Fetched) error {
	body, err := p.Exporter.Open(ctx, bulkdata.File{URL: e.URL, RequiresAccessToken: e.RequiresAccessToken})
	if err != nil {
		return err
	}
	defer body.Close()
	name := fmt.Sprintf("%serror-%06d.json", serverDir(run.ID), fetched.Output)
	w, err := p.Stores.Raw.Create(ctx, name)
	if err != nil {
		return fmt.Errorf("keeping an error file of the server: %w", err)
	}
	fetched.Severities = make(map[string]int64)
	if err := countIssues(io.TeeReader(body, w), fetched); err != nil {
		w.Abort()
		return fmt.Errorf("reading an error file of the server: %w", err)
	}
	if _, err := w.Commit(ctx, storage.PutOptions{}); err != nil {
		return fmt.Errorf("keeping an error file of the server: %w", err)
	}
	return nil
}

// maxOutcomeLine is the longest line of an error file that is looked into; a
// longer one counts as an error of the server.
const maxOutcomeLine = 1 << 20

// countIssues counts the issues of an NDJSON stream of OperationOutcomes. What
// cannot be read counts as an error: it must not pass in silence.
func countIssues(src io.Reader, into *ledger.Fetched) error {
	r := bufio.NewReaderSize(src, maxOutcomeLine)
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			into.Severities["error"]++
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
			line = nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			into.Lines++
			countOutcome(line, into.Severities)
		}
		if err != nil {
			return nil
		}
	}
}

func countOutcome(line []byte, severities map[string]int64) {
	var outcome struct {
		Issue []struct {
			Severity string `json:"severity"`
		} `json:"issue"`
	}
	if json.Unmarshal(line, &outcome) != nil || len(outcome.Issue) == 0 {
		severities["error"]++
		return
	}
	for _, issue := range outcome.Issue {
		switch issue.Severity {
		case "fatal", "error", "warning", "information", "success":
			severities[issue.Severity]++
		default:
			severities["error"]++ // its word is not repeated
		}
	}
}
