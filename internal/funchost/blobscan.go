package funchost

import (
	"context"
	"errors"
	"fmt"
)

// hostContainer holds the host's locks, receipts and timer states.
const hostContainer = "azure-webjobs-hosts"

// blobScan finds new blobs of one function by listing its container, and keeps
// a receipt in the host's storage for each it has queued. A receipt says
// "queued", not "done": a blob written again has a new ETag and runs again.
type blobScan struct {
	h       *Host
	f       *function
	pattern *blobPattern
	store   blobStore
	host    blobStore
	queued  map[string]string // name → ETag, what is known to have a receipt
}

func (h *Host) newBlobScan(f *function) (*blobScan, error) {
	pattern, err := parseBlobPattern(f.trigger.Path)
	if err != nil {
		return nil, err
	}
	store, err := h.accounts.blobs(f.trigger.Connection)
	if err != nil {
		return nil, err
	}
	host, err := h.accounts.blobs(hostStorage)
	if err != nil {
		return nil, err
	}
	return &blobScan{h: h, f: f, pattern: pattern, store: store, host: host, queued: map[string]string{}}, nil
}

func (s *blobScan) run(ctx context.Context) {
	for {
		if err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.h.log.Error("scanning a container failed", "container", s.pattern.container, "error", err)
		}
		if sleep(ctx, s.h.clock, s.h.timing.BlobScan) != nil {
			return
		}
	}
}

// once queues what is new. A container that does not exist yet has no blobs.
func (s *blobScan) once(ctx context.Context) error {
	seen := make(map[string]string)
	for b, err := range s.store.list(ctx, s.pattern.container) {
		if errors.Is(err, errNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ours := s.pattern.capture(s.pattern.container, b.name); !ours {
			continue
		}
		if s.queued[b.name] != b.etag {
			if err := s.queue(ctx, b); err != nil {
				return err
			}
		}
		seen[b.name] = b.etag
		s.queued[b.name] = b.etag
	}
	s.queued = seen
	return nil
}

func (s *blobScan) queue(ctx context.Context, b listedBlob) error {
	receipt := fmt.Sprintf("blobreceipts/%s/%s/%s/%s/%s", s.h.id, s.f.id(), b.etag, s.pattern.container, b.name)
	_, err := s.host.head(ctx, hostContainer, receipt)
	if err == nil || !errors.Is(err, errNotFound) {
		return err
	}
	e := BlobEvent{Function: s.f.name, Container: s.pattern.container, Blob: b.name, ETag: b.etag, BlobType: b.blobType}
	if err := s.h.queueBlobEvent(ctx, e); err != nil {
		return err
	}
	return s.host.write(ctx, hostContainer, receipt, nil)
}
