package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// ReleaseManifest is what a release says of itself, in the form of a Bulk Data
// manifest (https://hl7.org/fhir/uv/bulkdata) with relative URLs. It is the
// last thing written: a folder without it is no release.
type ReleaseManifest struct {
	TransactionTime     time.Time       `json:"transactionTime"`
	Request             string          `json:"request"`
	RequiresAccessToken bool            `json:"requiresAccessToken"`
	Output              []ReleaseOutput `json:"output"`
	Deleted             []ReleaseOutput `json:"deleted"`
	Error               []ReleaseOutput `json:"error"`
	Extension           ReleaseRecord   `json:"extension"`
}

// ReleaseOutput is one file of a release.
type ReleaseOutput struct {
	Type string `json:"type"`
	// URL is relative to the manifest.
	URL    string `json:"url"`
	Count  int64  `json:"count"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ReleaseRecord says how the data came to be: what a Provenance would say.
type ReleaseRecord struct {
	Run     string        `json:"run"`
	DataSet string        `json:"dataSet"`
	AsOf    time.Time     `json:"asOf"`
	Engine  string        `json:"engine"`
	Policy  ledger.Policy `json:"policy"`
	// Generation names what the data joins with: see Latest.
	Generation  string `json:"generation"`
	FHIRVersion string `json:"fhirVersion,omitempty"`
	// Verified is whether the independent verifier has passed every line.
	Verified bool `json:"verified"`
	// ServerPolicy is the configuration by which the server de-identified what it
	// exported, before Policy; nil where it did not.
	ServerPolicy *ServerPolicy `json:"serverPolicy,omitempty"`
	// Keys are the public fingerprints of the key versions used.
	Keys []ledger.Key `json:"keys,omitempty"`
	// LeftOut counts lines that are not in the release.
	LeftOut struct {
		Dropped     int64 `json:"dropped"`
		Quarantined int64 `json:"quarantined"`
	} `json:"leftOut"`
}

// ServerPolicy names a state of a FHIR server's own de-identification
// configuration ($export with _anonymizationConfig, of Azure's servers).
type ServerPolicy struct {
	Name string `json:"name"`
	// ETag is empty where it was neither pinned nor to be seen.
	ETag string `json:"etag,omitempty"`
}

// neutralRequest stands for the request, whose URL may name a hospital.
const neutralRequest = "$export"

// Latest is the blob latest.json of the catalog: where researchers look first.
type Latest struct {
	DataSet string `json:"dataSet"`
	Run     string `json:"run"`
	// Generation names policies, keys, data set and FHIR version: ids of one
	// generation join with each other, and with no other's. GenerationSince is its
	// first release; EarlierGeneration is the one before, whose releases stay until
	// they are deleted.
	Generation        string `json:"generation"`
	GenerationSince   string `json:"generationSince"`
	EarlierGeneration string `json:"earlierGeneration,omitempty"`
	// Manifest is the name of the release's manifest in the research container.
	Manifest        string    `json:"manifest"`
	TransactionTime time.Time `json:"transactionTime"`
	Claim           string    `json:"claim"`
	Lines           int64     `json:"lines"`
}

// publish makes the release visible: its manifest, then the scope's state, then
// the catalog.
func (b *beat) publish(ctx context.Context, files []releaseFile) error {
	m := ReleaseManifest{
		TransactionTime:     b.run.Manifest.TransactionTime,
		Request:             neutralRequest,
		RequiresAccessToken: true,
		Output:              make([]ReleaseOutput, len(files)),
		Deleted:             []ReleaseOutput{},
		Error:               []ReleaseOutput{},
		Extension: ReleaseRecord{
			Run: b.run.ID, DataSet: b.run.DataSet, AsOf: b.run.AsOf, Engine: b.run.Engine,
			Policy: b.run.Policy, Generation: b.run.Generation, FHIRVersion: b.run.FHIRVersion, Verified: b.run.Policy.Claim != claimNone,
			ServerPolicy: serverPolicy(b.run), Keys: b.run.Keys,
		},
	}
	m.Extension.LeftOut.Dropped = b.run.Totals.Dropped
	m.Extension.LeftOut.Quarantined = b.run.Totals.Quarantined
	for i, f := range files {
		m.Output[i] = ReleaseOutput{Type: f.Type, URL: path.Base(f.Name), Count: f.Lines, Bytes: f.Bytes, SHA256: f.SHA256}
	}
	name := b.run.ID + "/manifest.json"
	data, err := indented(m)
	if err != nil {
		return err
	}
	if err := putOnce(ctx, b.Stores.Research, name, data); err != nil {
		return fmt.Errorf("publishing run %s: %w", b.run.ID, err)
	}
	newest := false
	var scope ledger.Scope
	err = b.ledger().UpdateScope(ctx, b.run.Scope, func(s *ledger.Scope) bool {
		newest = s.LastReleased == b.run.ID || !b.run.Manifest.TransactionTime.Before(s.TransactionTime)
		changed := newest && s.LastReleased != b.run.ID
		if changed {
			s.Release(b.run.ID, b.run.Generation, b.run.Manifest.TransactionTime)
		}
		scope = *s
		return changed
	})
	if err != nil {
		return err
	}
	if !newest {
		b.note(ctx, "older-release", "A newer run is released already, so the catalog keeps pointing at that one.")
		return nil
	}
	if scope.GenerationSince == b.run.ID && scope.EarlierGeneration != "" && !b.run.Release.NewGeneration {
		b.run.Release.NewGeneration = true
		b.note(ctx, "new-generation", b.noteGeneration(scope.EarlierGeneration))
	}
	latest := Latest{
		Generation: b.run.Generation, GenerationSince: scope.GenerationSince, EarlierGeneration: scope.EarlierGeneration,
		DataSet: b.run.DataSet, Run: b.run.ID, Manifest: name,
		TransactionTime: b.run.Manifest.TransactionTime, Claim: b.run.Policy.Claim, Lines: b.run.Totals.Written,
	}
	if data, err = indented(latest); err != nil {
		return err
	}
	if _, err := b.Stores.Catalog.Put(ctx, "latest.json", data, storage.PutOptions{ContentType: "application/json"}); err != nil {
		return fmt.Errorf("announcing run %s in the catalog: %w", b.run.ID, err)
	}
	b.Log.InfoContext(ctx, EventRunReleased, "run", b.run.ID, "files", len(files), "lines", b.run.Totals.Written)
	return nil
}

func indented(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// putOnce writes what every caller writes alike, if it is not there. A refusal
// is settled by looking: a storage has other reasons for one than a twin.
func putOnce(ctx context.Context, c storage.Container, name string, data []byte) error {
	_, err := c.Put(ctx, name, data, storage.PutOptions{If: storage.IfAbsent(), ContentType: "application/json"})
	if !errors.Is(err, storage.ErrCondition) {
		return err
	}
	if _, headErr := c.Head(ctx, name); headErr != nil {
		return errors.Join(err, headErr)
	}
	return nil
}
