package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// pageEntries is how many entries of a manifest are kept in one blob: a fetch
// reads one page, however long the manifest is.
const pageEntries = 256

// entry is one file of the server's manifest, as kept. It is in the raw account
// since a URL may carry the right to read it.
type entry struct {
	Kind  entryKind `json:"kind"`
	Type  string    `json:"type"`
	URL   string    `json:"url"`
	Count int64     `json:"count"` // -1 where the server gave none
	// RequiresAccessToken is the manifest's word: obeyed both ways.
	RequiresAccessToken bool `json:"requiresAccessToken"`
}

type entryKind string

const (
	outputEntry entryKind = "output"
	errorEntry  entryKind = "error"
)

// keepManifest writes the manifest's entries in pages beside the raw data, under
// a name made of their content, so that two callers never mix. It returns nil,
// and ends the run, when the manifest cannot be used.
func (b *beat) keepManifest(ctx context.Context, m *bulkdata.Manifest) (*ledger.Manifest, error) {
	entries, why := manifestEntries(m)
	if why != nil {
		fail(b.run, b.now, *why)
		return nil, nil
	}
	kept := &ledger.Manifest{
		TransactionTime: m.TransactionTime,
		Outputs:         len(m.Output),
		Errors:          len(m.Error),
		Deleted:         len(m.Deleted),
		Shape:           shape(entries),
	}
	for _, e := range entries {
		if e.Kind == outputEntry && e.Count >= 0 {
			kept.Lines += e.Count
			kept.Counted++
		}
	}
	pages := make([][]byte, 0, len(entries)/pageEntries+1)
	sum := sha256.New()
	for start := 0; start < len(entries); start += pageEntries {
		page, err := json.Marshal(entries[start:min(start+pageEntries, len(entries))])
		if err != nil {
			return nil, errors.New("a page of the manifest cannot be written as JSON")
		}
		sum.Write(page)
		pages = append(pages, page)
	}
	kept.Dir = serverDir(b.run.ID) + "manifest-" + hex.EncodeToString(sum.Sum(nil)[:6])
	for i, page := range pages {
		if err := putOnce(ctx, b.Stores.Raw, pageName(kept.Dir, i), page); err != nil {
			return nil, fmt.Errorf("keeping the manifest of run %s: %w", b.run.ID, err)
		}
	}
	return kept, nil
}

func manifestEntries(m *bulkdata.Manifest) ([]entry, *ledger.Reason) {
	entries := make([]entry, 0, len(m.Output)+len(m.Error))
	add := func(kind entryKind, list []bulkdata.Output) *ledger.Reason {
		for i, o := range list {
			if !isTypeName(o.Type) {
				r := reason("bad-manifest", "Entry %d of the manifest's list %q has a type that is no FHIR resource type.", i, kind)
				return &r
			}
			if o.URL == "" {
				r := reason("bad-manifest", "Entry %d of the manifest's list %q has no URL.", i, kind)
				return &r
			}
			count := int64(-1)
			if o.Count != nil {
				count = *o.Count
			}
			entries = append(entries, entry{Kind: kind, Type: o.Type, URL: o.URL, Count: count, RequiresAccessToken: m.RequiresAccessToken})
		}
		return nil
	}
	if why := add(outputEntry, m.Output); why != nil {
		return nil, why
	}
	if why := add(errorEntry, m.Error); why != nil {
		return nil, why
	}
	return entries, nil
}

// shape is the same for two manifests that differ in links only.
func shape(entries []entry) string {
	h := sha256.New()
	for _, e := range entries {
		fmt.Fprintf(h, "%s %s %d\n", e.Kind, e.Type, e.Count)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// entry reads one entry of the run's manifest.
func (p *Pipeline) entry(ctx context.Context, run *ledger.Run, index int) (entry, error) {
	data, _, err := p.Stores.Raw.Get(ctx, pageName(run.Manifest.Dir, index/pageEntries))
	if err != nil {
		return entry{}, fmt.Errorf("reading entry %d of the manifest of run %s: %w", index, run.ID, err)
	}
	var page []entry
	if json.Unmarshal(data, &page) != nil || index%pageEntries >= len(page) {
		return entry{}, fmt.Errorf("the manifest of run %s has no readable entry %d", run.ID, index)
	}
	return page[index%pageEntries], nil
}

func pageName(dir string, page int) string { return fmt.Sprintf("%s/%05d.json", dir, page) }

// refreshManifest reads the manifest again, since links have expired. The new
// one must have the same entries in the same order; only links may differ.
func (b *beat) refreshManifest(ctx context.Context) error {
	if b.run.Manifest.Refreshed >= maxRefreshes {
		fail(b.run, b.now, reason("links-expire", "The links of the server's files were refused %d times, each time after its manifest was read anew: they do not live long enough to fetch the files, or this client may not read them. Raise their life on the server, or FETCH_PARALLEL; or grant the client the right.", maxRefreshes))
		return b.writeReport(ctx)
	}
	status, err := b.Exporter.Status(ctx, b.run.Kickoff.StatusURL)
	if err != nil && !lasting(err) {
		b.note(ctx, "refresh-failed", "The manifest could not be read again yet: "+err.Error())
		return nil
	}
	if err != nil {
		fail(b.run, b.now, reason("links-expired", "The server's links have expired and its manifest cannot be read again: %s", err))
		return b.writeReport(ctx)
	}
	if !status.Done {
		b.note(ctx, "refresh-waits", "The server's links have expired, and it does its export again.")
		return nil
	}
	kept, err := b.keepManifest(ctx, status.Manifest)
	if err != nil {
		return err
	}
	if kept == nil {
		return b.writeReport(ctx)
	}
	if kept.Shape != b.run.Manifest.Shape {
		fail(b.run, b.now, reason("manifest-changed", "The server's manifest, read again since its links had expired, lists other files than before. What was fetched cannot be completed; the next run starts anew."))
		return b.writeReport(ctx)
	}
	kept.Refreshed = b.run.Manifest.Refreshed + 1
	b.run.Manifest = kept
	for i := range b.run.Fetch.Chains {
		b.run.Fetch.Chains[i].SentAt = b.now.Add(-b.run.Settings.RedriveAfter) // start them again at once
	}
	b.note(ctx, "links-renewed", "The server's links had expired; the manifest was read again.")
	return nil
}

// maxRefreshes bounds how often a manifest is read again.
const maxRefreshes = 20

// keepOutcome keeps what a server said in prose in the raw account, where such
// words may hold anything.
func (b *beat) keepOutcome(ctx context.Context, what string, err error) {
	var e *bulkdata.Error
	if !errors.As(err, &e) || len(e.Outcome) == 0 {
		return
	}
	name := serverDir(b.run.ID) + what + "-outcome.json"
	if _, err := b.Stores.Raw.Put(ctx, name, e.Outcome, storage.PutOptions{ContentType: "application/json"}); err != nil {
		b.Log.WarnContext(ctx, EventOutcomeLost, "run", b.run.ID)
	}
}
