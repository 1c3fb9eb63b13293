package funchost

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/azurite"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
)

// emulator starts the storage emulator, or skips the test.
func emulator(t *testing.T) *azurite.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the storage emulator, left out by -short")
	}
	s, err := azurite.Start(t.Context(), azurite.Options{Log: t.Output()})
	if missing := (*azurite.MissingError)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// TestAgainstAzurite runs a timer, a queue function with an output and two blob
// functions with a real process against real storage.
func TestAgainstAzurite(t *testing.T) {
	storage := emulator(t)
	queue := oneBinding("queueTrigger", "message", "queueName", "%QUEUE%", "dataType", "binary")
	queue["bindings"] = append(queue["bindings"].([]any), map[string]any{"name": "out", "type": "queue", "direction": "out", "queueName": "outs"})
	deferred := map[string]any{"supportsDeferredBinding": true}
	s := newStage(t, stageApp{
		functions: map[string]any{
			"Timer": oneBinding("timerTrigger", "timer", "schedule", "0 0 1 * * *"),
			"Queue": queue,
			"Grid": oneBinding("blobTrigger", "blob", "path", "raw/{run}/{file}.ndjson", "connection", "RawStorage", "source", "EventGrid",
				"properties", deferred),
		},
		options: Options{EmulateEventGrid: true, Settings: map[string]string{
			"AzureWebJobsStorage": storage.ConnectionString(), "RawStorage": storage.ConnectionString(), "QUEUE": "work"}},
	})
	// The same host, on real storage.
	o := s.host.options
	s.host.admin.Close()
	o.Timing.BlobScan, o.Timing.MinimumPolling = 100*time.Millisecond, 20*time.Millisecond
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.host = h
	h.config.queues.maxPollingInterval = 100 * time.Millisecond
	s.up()

	// The timer, fired by hand; its state is in storage.
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	blobs, err := azblob.NewClientFromConnectionString(storage.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	statusBlob := func() string {
		r, err := blobs.DownloadStream(t.Context(), hostContainer, statusPath("Timer"), nil)
		if err != nil {
			return ""
		}
		defer r.Body.Close()
		buf := make([]byte, 1000)
		n, _ := r.Body.Read(buf)
		return string(buf[:n])
	}
	s.eventually("the timer has a status", func() bool { return strings.Contains(statusBlob(), `"Next":"20`) })
	if err := h.Fire("Timer", ""); err != nil {
		t.Fatal(err)
	}
	c := s.call("request")
	if c.Function != "Timer" || !strings.Contains(c.Body, `"ScheduleStatus":{"Last":"0001`) {
		t.Errorf("the timer got %s", c.Body)
	}
	c.order <- answer

	// The queue, failing once and then answering with an output.
	queues, err := azqueue.NewServiceClientFromConnectionString(storage.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := queues.NewQueueClient("work").EnqueueMessage(t.Context(), b64("hello"), &azqueue.EnqueueMessageOptions{TimeToLive: to.Ptr[int32](-1)}); err != nil {
		t.Fatal(err)
	}
	s.call("request").order <- order{Exit: -1, Status: 500, Body: "{}"}
	again := s.call("request")
	if again.dequeueCount() != "2" || !strings.Contains(again.Body, `"Data":{"message":"`+b64("hello")+`"}`) {
		t.Errorf("the queue function got %s", again.Body)
	}
	again.order <- order{Exit: -1, Status: 200, Body: `{"Outputs":{"out":"it is done"}}`}
	s.eventually("the output arrives", func() bool {
		r, err := queues.NewQueueClient("outs").PeekMessages(t.Context(), nil)
		return err == nil && len(r.Messages) == 1 && *r.Messages[0].MessageText == b64("it is done")
	})

	// The blob, by an emulated event.
	if _, err := blobs.CreateContainer(t.Context(), "raw", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"r1/Patient.0.ndjson", "r1/no.txt"} {
		if _, err := blobs.UploadBuffer(t.Context(), "raw", name, []byte("{}\n"), nil); err != nil {
			t.Fatal(err)
		}
	}
	c = s.call("request")
	for _, want := range []string{`"Source":"AzureStorageBlobs"`, `"run":"\"r1\""`, `"file":"\"Patient.0\""`, `"ContentLength":3`,
		storage.BlobURL() + `/raw/r1/Patient.0.ndjson\""`} {
		if !strings.Contains(c.Body, want) {
			t.Errorf("the blob function did not get %s but %s", want, c.Body)
		}
	}
	c.order <- order{Exit: -1, Status: 500, Body: "{}"}
	s.call("request").order <- answer // at once, and then no more
	s.quiet("the other blob is not one of the pattern's")
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if stats := h.Stats(); stats["Grid"].Succeeded != 1 || stats["Grid"].Failed != 1 || stats["Queue"].Succeeded != 1 || stats["Timer"].Succeeded != 1 {
		t.Errorf("stats %+v", stats)
	}
}
