package funchost

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// upload is what the recordings put into a container.
type upload struct {
	name, contentType string
	data              []byte
	metadata          map[string]string
}

const octets = "application/octet-stream"

var smallBlob = upload{"small.txt", "application/fhir+ndjson", []byte("{\"resourceType\":\"Patient\"}\n"), map[string]string{"jobid": "42"}}

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// container is the one that the recorded trigger watches.
func (tr *transcript) container(t *testing.T) string {
	t.Helper()
	f, err := parseFunction("F", tr.FunctionJSON, newSettings([]string{"QOUT=q"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	container, _, _ := strings.Cut(f.trigger.Path, "/")
	return container
}

// polled holds a recording of a blob that the scan found.
func polled(u upload) row {
	return held(func(t *testing.T, tr *transcript) {
		b := tr.bench(t, func(a *benchApp) { a.options.Env = []string{"QOUT=qc-out"} })
		container := tr.container(t)
		etag := b.storage.upload(container, u.name, u.data, u.contentType, u.metadata)
		b.start()
		same(t, b.request(), tr.exchange)
		b.succeeded()
		receipt := "blobreceipts/hid/Host.Functions." + tr.FunctionName + "/" + etag + "/" + container + "/" + u.name
		b.eventually("there is a receipt", func() bool { return cmp.Equal(b.storage.names(hostContainer), []string{receipt}) })
		deferred := strings.Contains(tr.Request.Body, "AzureStorageBlobs")
		if read := b.storage.gets > 0; read == deferred {
			t.Errorf("content was read: %v, deferred: %v", read, deferred)
		}
	})
}

func blobRows() map[string]row {
	one := upload{data: []byte("x"), contentType: octets}
	return map[string]row{
		"blob-content-small":                      polled(smallBlob),
		"blob-content-datatype-string":            polled(smallBlob),
		"blob-content-datatype-binary":            polled(smallBlob),
		"blob-content-datatype-stream":            polled(smallBlob),
		"blob-content-binary":                     polled(upload{"bin.bin", octets, allBytes(), nil}),
		"blob-deferred-small":                     polled(smallBlob),
		"blob-deferred-string-true":               polled(smallBlob),
		"blob-deferred-datatype-string":           polled(smallBlob),
		"blob-deferred-datatype-binary":           polled(smallBlob),
		"blob-deferred-with-blob-output":          polled(smallBlob),
		"blob-deferred-with-queue-output":         polled(smallBlob),
		"blob-deferred-with-queue-output-setting": polled(smallBlob),
		"blob-deferred-binary":                    polled(upload{"bin.bin", octets, allBytes(), nil}),
		"blob-deferred-empty":                     polled(upload{"empty.ndjson", octets, nil, nil}),
		"blob-deferred-odd-name":                  polled(upload{"job 2/sp ace+plus%25Grüße.ndjson", octets, []byte("x"), nil}),
		"blob-deferred-5mb":                       held(bigDeferred),
		"blob-content-5mb":                        held(bigContent),
		"func-start-blob-deferred":                polled(upload{"a.ndjson", octets, []byte("{}"), nil}),

		"blob-admin-invoke": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			b.start()
			if err := b.host.WaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.host.stopListening() // the blob must not be found by the scan
			<-b.host.background.wait()
			b.storage.upload("cb-def", smallBlob.name, smallBlob.data, smallBlob.contentType, smallBlob.metadata)
			if err := b.host.Fire("BDef", "cb-def/small.txt"); err != nil {
				t.Fatal(err)
			}
			same(t, b.request(), tr.exchange)
			b.succeeded()
			if err := b.host.Invoke(t.Context(), "BDef", "cb-def/missing"); err == nil || len(b.handler.requests) != 0 {
				t.Error("a missing blob must fail before the handler is called")
			}
		}),
		"blob-poison": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			etag := b.storage.upload("cf-bp", "bad.ndjson", one.data, one.contentType, nil)
			b.start()
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				same(t, b.request(), e)
			}
			want := strings.Replace(reaction[string](t, tr, "poisonMessage"), `\"0x25FCBD1EF89DAE0\"`, strings.ReplaceAll(etag, `"`, `\"`), 1)
			poison := b.storage.q(reaction[string](t, tr, "poisonQueue"))
			b.eventually("the event is poisoned", func() bool { return len(poison.texts()) == 1 })
			if diff := cmp.Diff([]string{b64(want)}, poison.texts()); diff != "" {
				t.Errorf("poison message (-recorded +got):\n%s", diff)
			}
		}),
		"blob-retry-policy": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, func(a *benchApp) { a.functions["BR"] = shorterRetry(tr.FunctionJSON) })
			b.storage.upload("ch-r", "x.ndjson", one.data, one.contentType, nil)
			b.start()
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				same(t, b.request(), e)
			}
		}),
		"blob-concurrency-1":       blobConcurrency(5, 0),
		"blob-concurrency-default": blobConcurrency(40, 16), // 13 seen; the limit is 8 × 2 processors
	}
}

func bigBlob() []byte {
	return []byte(strings.Repeat("{\"resourceType\":\"Patient\",\"id\":\"0000001\"}\n", 130_000))
}

// bigDeferred: the size of a blob does not show in the size of the request.
func bigDeferred(t *testing.T, tr *transcript) {
	b := tr.bench(t, nil)
	data := bigBlob()
	b.storage.upload("cb-def", "job1/big.ndjson", data, octets, nil)
	b.start()
	r := b.request()
	tr.Request.Body = volatileProperties(tr.Request.Body)
	r.body = volatileProperties(r.body)
	same(t, r, tr.exchange)
	if b.storage.gets != 0 || len(r.body) > 2000 {
		t.Errorf("%d reads and a body of %d bytes for a reference", b.storage.gets, len(r.body))
	}
}

// volatileProperties takes out what follows from the content.
func volatileProperties(body string) string {
	for _, name := range []string{`"ContentLength":`, `"ContentHash":`} {
		before, rest, _ := strings.Cut(body, name)
		_, after, _ := strings.Cut(rest, ",")
		body = before + name + "…," + after
	}
	return body
}

// bigContent: the whole blob comes as base64 in chunks of 1 kB.
func bigContent(t *testing.T, tr *transcript) {
	b := tr.bench(t, nil)
	b.storage.upload("cb-none", "job1/big.ndjson", bigBlob(), octets, nil)
	b.start()
	r := b.request()
	start, _, _ := strings.Cut(tr.Request.Body, "…")
	if !strings.HasPrefix(r.body, start) {
		t.Error("the body begins otherwise than recorded")
	}
	if r.chunks != (len(r.body)+1023)/1024 || r.largestChunk != 1024 {
		t.Errorf("%d chunks for %d bytes, the largest of %d; recorded 1 kB each", r.chunks, len(r.body), r.largestChunk)
	}
	if !json.Valid([]byte(r.body)) {
		t.Error("the body is not JSON")
	}
}

// blobConcurrency holds how many requests are open at once: a batch at first,
// and a second batch when only the threshold is left of it.
func blobConcurrency(count, parallelism int) row {
	return held(func(t *testing.T, tr *transcript) {
		hold := make(chan struct{})
		b := tr.bench(t, func(a *benchApp) {
			a.answer = func(r *wireRequest) wireReply { <-hold; return ok(r) }
		})
		if parallelism > 0 { // as on the recorded machine's two processors
			b.host.config.blobs.maxDegreeOfParallelism = parallelism
		}
		batch, threshold := b.host.config.blobs.queueBatch()
		for _, l := range b.host.listeners {
			l.batch, l.threshold = batch, threshold
		}
		if parallelism == 0 && batch+threshold != reaction[int](t, tr, "maxConcurrentRequests") {
			t.Errorf("batch %d and threshold %d", batch, threshold)
		}
		for i := range count {
			_ = b.storage.q(b.host.blobQueueName()).put(t.Context(), newBlobMessage(BlobEvent{Function: "BC",
				Container: tr.container(t), Blob: itoa(int64(i)), ETag: b.storage.upload(tr.container(t), itoa(int64(i)), []byte("x"), octets, nil)}).encode())
		}
		b.start()
		wantOpen := func(n int) {
			t.Helper()
			for range n {
				b.request()
			}
			select {
			case <-b.handler.requests:
				t.Errorf("more requests are open at once than %d and %d allow", batch, threshold)
			case <-time.After(50 * time.Millisecond):
			}
		}
		wantOpen(batch)
		for range batch - threshold {
			hold <- struct{}{}
		}
		wantOpen(batch)
		close(hold)
	})
}
