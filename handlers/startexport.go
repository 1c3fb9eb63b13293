package handlers

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"fhirdeid/internal/pipeline"
)

// timerBinding is the name of the timer binding in function.json.
const timerBinding = "timer"

// startExport answers the timer: it starts tonight's run. The host tells the
// instant that was due as the schedule's "next".
func startExport(ctx context.Context, in *Installation, e *envelope, log *slog.Logger) error {
	run, outcome, err := in.Pipeline.Start(ctx, e.scheduled(timerBinding))
	if err != nil {
		return err
	}
	log.Info(pipeline.EventTimer, "run", run, "outcome", string(outcome))
	return nil
}

// scheduled is the instant a timer was due, or zero where the host does not
// say: a timer without a monitor, or fired by hand.
func (e *envelope) scheduled(binding string) time.Time {
	var timer struct {
		ScheduleStatus *struct {
			Next string `json:"Next"`
		} `json:"ScheduleStatus"`
	}
	if json.Unmarshal(e.Data[binding], &timer) != nil || timer.ScheduleStatus == nil {
		return time.Time{}
	}
	next, err := time.Parse(time.RFC3339Nano, timer.ScheduleStatus.Next)
	if err != nil || next.Year() < 2000 { // the first run ever has year 1
		return time.Time{}
	}
	return next
}
