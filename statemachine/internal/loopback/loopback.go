// Package loopback protects servers on a loopback address from web pages. A browser on
// the machine can reach them, and with it every page that is open in it: by their
// address, or by a name of the page's own that leads to 127.0.0.1 (DNS rebinding).
package loopback

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Check returns an error, which says why, if a request must not be answered: its host is
// no loopback address and not localhost, or it comes from a web page of another origin.
// Clients that are no browsers send neither Origin nor Sec-Fetch-Site, and are judged by
// the host alone.
func Check(r *http.Request) error {
	if !isLoopback(r.Host) {
		return fmt.Errorf("requests for the host %q are not answered: use a loopback address, such as 127.0.0.1, or localhost", r.Host)
	}
	own := "http://" + r.Host
	if r.TLS != nil {
		own = "https://" + r.Host
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, own) {
			return errForeign
		}
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return errForeign
		}
	}
	return nil
}

// Handler answers with h the requests that pass Check, and the others with 403.
func Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := Check(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// CheckPage is Check for pages that are read with GET and change nothing: pages of other
// origins may link to them, but neither embed nor read them.
func CheckPage(r *http.Request) error {
	err := Check(r)
	if errors.Is(err, errForeign) && isLink(r) {
		return nil
	}
	return err
}

var errForeign = errors.New("requests from web pages of other origins are not answered")

// isLink reports whether a browser follows a link, to show the answer in a tab.
func isLink(r *http.Request) bool {
	only := func(name, value string) bool { return slices.Equal(r.Header.Values(name), []string{value}) }
	return r.Method == http.MethodGet && len(r.Header.Values("Origin")) == 0 && only("Sec-Fetch-Mode", "navigate") && only("Sec-Fetch-Dest", "document")
}

// isLoopback reports whether a Host header, with or without a port, names this machine.
func isLoopback(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	bracketed := strings.HasPrefix(host, "[")
	return err == nil && ip.Is6() == bracketed && ip.IsLoopback()
}
