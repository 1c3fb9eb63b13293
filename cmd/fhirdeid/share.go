package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/arm"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/share"
)

func shareCommand() *cobra.Command {
	o := new(installed)
	var q share.Request
	var lifetime, start, expires string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "share RUN",
		Short: "Hand one release to researchers outside, by a link",
		Long: `Hand one release, and nothing beside it, to researchers outside the organisation:
a link that reads and lists the folder of the release for at most seven days, by
https, from the addresses given. It is signed in your name (a user delegation SAS)
and reaches no further than your own rights; you need the roles "Storage Blob
Delegator" and "Storage Blob Data Reader" on the lake account.

Whoever has the link can read: send it as you would send a password. It is printed
once and kept nowhere; that it was made, by whom, for whom and until when, is in the
ledger. A single link cannot be called back: "share revoke" ends all of them.

` + aboutSettings,
		Example: `  fhirdeid share 20261122T010000Z --for 2d --ip 203.0.113.0/26 --reason "study 7, University of Ghent"
  fhirdeid share 20261122T010000Z --from 2026-12-01 --expires 2026-12-03
  fhirdeid share list
  fhirdeid share revoke`,
		Args: usage(cobra.ExactArgs(1)), ValidArgsFunction: o.completeRuns,
		RunE: o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, args []string) error {
			q.Run, q.By = args[0], operator(ctx, in)
			if err := window(&q, lifetime, start, expires, time.Now()); err != nil {
				return &codeError{exitUsage, err}
			}
			link, err := releases(in).Make(ctx, q)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(out, link)
			}
			printLink(out, link)
			if q.Addresses == "" && q.Start.IsZero() {
				tryLink(ctx, out, &http.Client{Timeout: 30 * time.Second}, link.URL)
			}
			return nil
		}),
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&lifetime, "for", "1d", "how long the link holds, such as 12h or 7d")
	cmd.Flags().StringVar(&start, "from", "", "when it begins to hold; default: at once")
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends, instead of --for")
	cmd.Flags().StringVar(&q.Addresses, "ip", "", "IPv4 address, range or network that it holds for; default: any")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "for whom and what for; it is recorded")
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: the record, and the link as url")
	cmd.MarkFlagsMutuallyExclusive("for", "expires")
	cmd.AddCommand(shareListCommand(o), shareRevokeCommand(o))
	return cmd
}

func releases(in *installation.Installation) *share.Releases {
	return &share.Releases{
		Ledger: ledger.New(in.Pipeline.Stores.Ledger), Research: in.Pipeline.Stores.Research, Lake: in.Lake, Now: time.Now,
	}
}

// window reads when a link is to hold.
func window(q *share.Request, lifetime, start, expires string, now time.Time) error {
	begin := now
	if start != "" {
		at, err := settings.ParseTime(start)
		if err != nil {
			return fmt.Errorf("--from is %w", err)
		}
		q.Start, begin = at, at
	}
	if expires != "" {
		at, err := settings.ParseTime(expires)
		if err != nil {
			return fmt.Errorf("--expires is %w", err)
		}
		q.Expiry = at
		return nil
	}
	d, err := parseLifetime(lifetime)
	if err != nil {
		return err
	}
	q.Expiry = begin.Add(d)
	return nil
}

// parseLifetime reads a duration, also in days.
func parseLifetime(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 8); err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, errors.New("--for is no length of time; it looks like 12h or 7d")
}

func printLink(out io.Writer, l *share.Link) {
	where := "from any address"
	if l.From != "" {
		where = "from " + addresses(l.Share)
	}
	fmt.Fprintf(out, "Run %s can be read, by https and %s, from %s until %s, by whoever has this link:\n\n%s\n\n",
		l.Run, where, l.Start.Format(time.RFC3339), l.Expiry.Format(time.RFC3339), l.URL)
	folder, query, _ := strings.Cut(l.URL, "?")
	fmt.Fprintf(out, "For the researchers, all files at once, or the list of them:\n\n  azcopy copy \"%s?%s\" . --recursive\n  curl \"%s/manifest.json?%s\"\n\n", folder, query, folder, query)
	fmt.Fprintf(out, "Recorded as %s. The link is kept nowhere; it ends by itself, or with all others by: fhirdeid share revoke\n", l.ID)
}

// tryLink reads the release's manifest by the link, and says so if that fails: it
// is better to know before the researchers do.
func tryLink(ctx context.Context, out io.Writer, client *http.Client, link string) {
	folder, query, _ := strings.Cut(link, "?")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, folder+"/manifest.json?"+query, nil)
	if err != nil {
		return
	}
	resp, err := client.Do(req)
	why := "the account cannot be reached" // the error has the link in it
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		why = fmt.Sprintf("the account answers %d %s", resp.StatusCode, resp.Header.Get("x-ms-error-code"))
	}
	fmt.Fprintf(out, "\nThe link was tried from here, and %s. It reaches no further than your own rights (\"Storage Blob Data Reader\" on the container), and the account's network rules hold for it too.\n", why)
}

func addresses(s *ledger.Share) string {
	if s.From == s.To || s.To == "" {
		return s.From
	}
	return s.From + "-" + s.To
}

func shareListCommand(o *installed) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [RUN]",
		Short:   "List the links that were given out",
		Long:    "List the links that were given out, of one run or of all: who made them, what for, from when until when they hold, and whether they still do.",
		Example: `  fhirdeid share list`,
		Args:    usage(cobra.MaximumNArgs(1)), ValidArgsFunction: o.completeRuns,
		RunE: o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, args []string) error {
			run := ""
			if len(args) > 0 {
				run = args[0]
			}
			shares, err := ledger.New(in.Pipeline.Stores.Ledger).Shares(ctx, run)
			if err != nil {
				return err
			}
			return printShares(out, shares, time.Now(), asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: an array of the records, with their state")
	return cmd
}

func printShares(out io.Writer, shares []*ledger.Share, now time.Time, asJSON bool) error {
	type shared struct {
		*ledger.Share
		State string `json:"state"`
	}
	if asJSON {
		list := make([]shared, len(shares))
		for i, s := range shares {
			list[i] = shared{s, s.State(now)}
		}
		return printJSON(out, list)
	}
	if len(shares) == 0 {
		fmt.Fprintln(out, "No links were given out.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATE\tFROM\tUNTIL\tADDRESSES\tBY\tREASON\tID")
	for _, s := range shares {
		where := addresses(s)
		if where == "" {
			where = "any"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Run, s.State(now), s.Start.Format(time.RFC3339), s.Expiry.Format(time.RFC3339), where, s.By, s.Reason, s.ID)
	}
	return w.Flush()
}

func shareRevokeCommand(o *installed) *cobra.Command {
	var account, endpoint string
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "End all links that were given out",
		Long: `End all links to the lake account at once, by revoking its user delegation keys;
Azure knows no way to end one alone. Links signed by others and by other programs end
too. It may take some minutes until it holds everywhere. You need the role "Storage
Account Contributor" on the account. The same by hand:

  az storage account revoke-delegation-keys --resource-group GROUP --name ACCOUNT

Taking the role "Storage Blob Data Reader" from the person who signed ends that
person's links only.`,
		Example: `  fhirdeid share revoke`,
		Args:    usage(cobra.NoArgs),
		RunE: o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, _ []string) error {
			name, err := arm.AccountName(in.Lake.BlobServiceURL())
			if err != nil {
				return err
			}
			credential, err := in.Identity()
			if err != nil {
				return err
			}
			m := &arm.Client{Endpoint: strings.TrimSuffix(endpoint, "/"), Credential: credential}
			if err := m.Revoke(ctx, name, account); err != nil {
				return err
			}
			n, err := ledger.New(in.Pipeline.Stores.Ledger).RevokeShares(ctx, time.Now().UTC(), operator(ctx, in))
			if err != nil {
				return fmt.Errorf("all links to %s are revoked, but that could not be recorded: %w", name, err)
			}
			fmt.Fprintf(out, "All links to %s are revoked; %d of them were recorded and still held.\n", name, n)
			return nil
		}),
	}
	cmd.Flags().StringVar(&account, "account-id", "", "the lake account's resource id; default: it is looked up by name")
	cmd.Flags().StringVar(&endpoint, "management-endpoint", arm.PublicCloud, "Azure's management endpoint, in clouds other than the public one")
	return cmd
}
