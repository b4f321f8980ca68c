package loopback

import (
	"bufio"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// read returns a request as a server reads it.
func read(t *testing.T, method string, header ...string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " / HTTP/1.0\r\n" + strings.Join(header, "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHosts(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1:8080", "127.0.0.1:", "127.9.9.9:1", "localhost", "localhost:65535", "LOCALHOST:80", "LocalHost",
		"[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]:80", "[::ffff:127.0.0.1]:80", "[::FFFF:7f00:1]",
	} {
		if err := Check(read(t, "GET", "Host: "+host)); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	for _, host := range []string{
		"", " ", "example.com", "rebound.example:8080", "localhost.example.com", "127.0.0.1.example.com", "127.0.0.1.nip.io:80", "xn--localhost-.com", "localhost.", "a.localhost", "localhost.localdomain",
		"0.0.0.0", "0.0.0.0:8080", "0:80", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "10.0.0.1:8080", "192.168.1.1", "169.254.169.254",
		"::1", "::1:80", "[::1", "::1]", "[::1]x", "[::1]:x", "[[::1]]", "[::]:80", "[::2]:80", "[fe80::1]", "[::1%25lo]", "[::1%lo]:80", "[127.0.0.1]", "[localhost]:80", "[::ffff:10.0.0.1]",
		"127.0.0.1:http", "127.0.0.1:80:80", "127.0.0.1:-1", "127.0.0.1@example.com", "example.com@127.0.0.1", "user:pass@localhost", "example.com#localhost", "localhost/..", "localhost?", "localhost,example.com", "localhost example.com",
		"127.0.0.1%00", "%6cocalhost", "127。0。0。1", "①27.0.0.1",
	} {
		for _, check := range []func(*http.Request) error{Check, CheckPage} {
			r := read(t, "GET")
			r.Host = host
			if check(r) == nil {
				t.Errorf("%q is a loopback host", host)
			}
		}
	}
	r := read(t, "GET", "Host: 127.0.0.1")
	r.URL.Host = "example.com" // what a proxy is asked for
	if Check(r) != nil {
		t.Error("the host is not taken from Host")
	}
	if absolute, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET http://example.com/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))); err != nil || Check(absolute) == nil {
		t.Errorf("a request of a proxy is answered: %v", err)
	}
}

func TestOrigins(t *testing.T) {
	const host = "127.0.0.1:8080"
	for name, c := range map[string]struct {
		host    string
		headers []string
		want    bool
	}{
		"a client":                    {host, nil, true},
		"an address that was typed":   {host, []string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"}, true},
		"its own page":                {host, []string{"Sec-Fetch-Site: same-origin", "Origin: http://" + host}, true},
		"its own, before fetch":       {host, []string{"Origin: http://" + host}, true},
		"its own, by another name":    {"localhost:8080", []string{"Origin: http://localhost:8080"}, true},
		"its own, in uppercase":       {"LOCALHOST:8080", []string{"Origin: http://localhost:8080"}, true},
		"its own, with IPv6":          {"[::1]:8080", []string{"Origin: http://[::1]:8080"}, true},
		"its own, without a port":     {"localhost", []string{"Origin: http://localhost"}, true},
		"another site":                {host, []string{"Origin: https://example.com"}, false},
		"another site's fetch":        {host, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Origin: https://example.com"}, false},
		"another site's image":        {host, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, false},
		"another site's frame":        {host, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, false},
		"another site's form":         {host, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Origin: https://example.com"}, false},
		"a sandboxed page":            {host, []string{"Origin: null"}, false},
		"a sandboxed page's form":     {host, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Origin: null"}, false},
		"a page at another port":      {host, []string{"Origin: http://127.0.0.1:9999"}, false},
		"a page of the same site":     {host, []string{"Sec-Fetch-Site: same-site"}, false},
		"a page without a port":       {host, []string{"Origin: http://127.0.0.1"}, false},
		"a page by another name":      {host, []string{"Origin: http://localhost:8080"}, false},
		"a page with another scheme":  {host, []string{"Origin: https://" + host}, false},
		"a name that begins so":       {host, []string{"Origin: http://" + host + ".example.com"}, false},
		"an address with a user":      {host, []string{"Origin: http://" + host + "@example.com"}, false},
		"two origins":                 {host, []string{"Origin: http://" + host, "Origin: https://example.com"}, false},
		"an origin that is empty":     {host, []string{"Origin: "}, false},
		"two sites":                   {host, []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, false},
		"an unknown site":             {host, []string{"Sec-Fetch-Site: anything"}, false},
		"an own page of another site": {host, []string{"Sec-Fetch-Site: same-origin", "Origin: https://example.com"}, false},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
			r := read(t, method, append([]string{"Host: " + c.host}, c.headers...)...)
			for of, err := range map[string]error{"Check": Check(r), "CheckPage": CheckPage(r)} {
				if (err == nil) != c.want {
					t.Errorf("%s, %s: %s returns %v", name, method, of, err)
				}
			}
		}
	}
	r := read(t, "POST", "Host: localhost", "Origin: https://localhost")
	if r.TLS = new(tls.ConnectionState); Check(r) != nil {
		t.Error("a page that came encrypted is another one's")
	}
}

// TestLinks follows a link of another site: a page is shown, and nothing else is done.
func TestLinks(t *testing.T) {
	link := []string{"Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	if err := CheckPage(read(t, "GET", link...)); err != nil {
		t.Error(err)
	}
	if Check(read(t, "GET", link...)) == nil {
		t.Error("another site has a browser call what is no page")
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE"} {
		if CheckPage(read(t, method, link...)) == nil {
			t.Errorf("another site sends %s", method)
		}
	}
	for i := 2; i < len(link); i++ {
		less := append(append([]string{}, link[:i]...), link[i+1:]...)
		if CheckPage(read(t, "GET", less...)) == nil {
			t.Errorf("another site gets a page without %s", link[i])
		}
	}
}
