package funchost

import (
	"context"
	"errors"
	"fmt"
)

// blobQueueName is the host's internal queue of blob events.
func (h *Host) blobQueueName() string { return "azure-webjobs-blobtrigger-" + h.id }

// hostStorage is the connection of the host's own account.
const hostStorage = "AzureWebJobsStorage"

// listenBlobs makes the one listener that all blob functions share.
func (h *Host) listenBlobs() (*queueListener, error) {
	q, err := h.accounts.queue(hostStorage, h.blobQueueName())
	if err != nil {
		return nil, err
	}
	fallback, err := h.accounts.queue(hostStorage, blobPoisonQueue)
	if err != nil {
		return nil, err
	}
	// Poisoned events go to the account of the blob, where that has queues.
	poison := func(m queueMessage) messageQueue {
		if b, err := decodeBlobMessage(m.text); err == nil && h.byID[b.FunctionID] != nil {
			if q, err := h.accounts.queue(h.byID[b.FunctionID].trigger.Connection, blobPoisonQueue); err == nil {
				return q
			}
		}
		return fallback
	}
	batch, threshold := h.config.blobs.queueBatch()
	l := &queueListener{h: h, name: h.blobQueueName(), queue: q, poison: poison, poisonAs: blobPoisonQueue,
		batch: batch, threshold: threshold, maxDequeue: h.config.blobs.poisonBlobThreshold}
	l.handle = h.runBlobMessage
	l.init()
	l.connection = hostStorage
	h.listeners = append(h.listeners, l)
	return l, nil
}

// queueBlobEvent puts an event on the internal queue, by way of the fault
// switches.
func (h *Host) queueBlobEvent(ctx context.Context, e BlobEvent) error {
	deliveries := h.options.Faults.deliveries(e, h.count("blob", e.Function))
	if len(deliveries) != 1 {
		h.log.Warn("fault switch: a blob event is not delivered once", "function", e.Function, "times", len(deliveries))
	}
	for _, d := range deliveries {
		if d.After <= 0 {
			if err := h.putBlobEvent(ctx, e); err != nil {
				return err
			}
			continue
		}
		h.background.Go(func() {
			if sleep(h.listening, h.clock, d.After) == nil {
				if err := h.putBlobEvent(h.listening, e); err != nil {
					h.log.Error("a late blob event is lost", "error", err)
				}
			}
		})
	}
	return nil
}

func (h *Host) putBlobEvent(ctx context.Context, e BlobEvent) error {
	q, err := h.accounts.queue(hostStorage, h.blobQueueName())
	if err != nil {
		return err
	}
	if err := q.put(ctx, newBlobMessage(e).encode()); err != nil {
		return fmt.Errorf("queueing a blob event: %w", err)
	}
	h.wakeQueue(hostStorage, h.blobQueueName())
	return nil
}

// runBlobMessage runs the function that a message on the internal queue names.
func (h *Host) runBlobMessage(q queueMessage) error {
	m, err := decodeBlobMessage(q.text)
	if err != nil {
		return errPoison
	}
	f := h.byID[m.FunctionID]
	if f == nil || !f.trigger.is("blobTrigger") {
		return nil // the real host drops it
	}
	store, err := h.accounts.blobs(f.trigger.Connection)
	if err != nil {
		return err
	}
	info, err := store.head(h.invocations, m.ContainerName, m.BlobName)
	ghost := false
	if errors.Is(err, errNotFound) {
		if fault := h.options.Faults.Ghost; fault == nil || !fault(m.event(), h.count("ghost", f.name)) {
			return nil
		}
		ghost, err = true, nil
	}
	if err != nil {
		if h.invocations.Err() != nil {
			return errAbandoned
		}
		return err
	}
	if h.scansBlobs() && !ghost && m.ETag != info.etag {
		return nil // there is a newer blob, of which the scan will tell
	}
	source := "LogsAndContainerScan"
	if f.eventGrid() {
		source = "EventGrid"
	}
	reason := fmt.Sprintf("New blob detected(%s): %s/%s", source, m.ContainerName, m.BlobName)
	return h.execute(f, reason, func(ctx context.Context) (*envelope, error) {
		return h.readBlob(ctx, f, store, m.ContainerName, m.BlobName, info)
	})
}

// readBlob makes the envelope, with the content only when the binding is not
// deferred.
func (h *Host) readBlob(ctx context.Context, f *function, store blobStore, container, name string, info blobInfo) (*envelope, error) {
	var content []byte
	if !f.deferred {
		var err error
		if content, err = store.read(ctx, container, name); err != nil {
			return nil, err
		}
	}
	return blobEnvelope(f, store.url(container, name), container, name, info, content)
}

// scansBlobs reports whether any blob function is fed by scanning. Then the
// host drops events whose ETag is not the blob's.
func (h *Host) scansBlobs() bool {
	for _, f := range h.functions {
		if f.trigger.is("blobTrigger") && !f.eventGrid() {
			return true
		}
	}
	return false
}
