package gates_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// refused are addresses that nobody's URL may lead to, with what each is called.
var refused = map[string]string{
	"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "10.0.0.1": "private", "10.255.255.255": "private",
	"100.64.0.0": "carrier", "100.100.100.200": "carrier", "100.127.255.255": "carrier",
	"127.0.0.1": "loopback", "127.255.255.255": "loopback", "169.254.169.254": "link-local", "169.254.0.1": "link-local",
	"172.16.0.0": "private", "172.31.255.255": "private", "192.0.0.8": "protocols", "192.0.2.1": "documentation", "192.88.99.1": "6to4",
	"192.168.1.1": "private", "198.18.0.1": "benchmarks", "198.19.255.255": "benchmarks", "198.51.100.7": "documentation",
	"203.0.113.7": "documentation", "224.0.0.1": "multicast", "239.255.255.250": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
	"::": "unspecified", "::1": "loopback", "fd00::1": "private", "fd00:ec2::254": "private", "fc00::1": "private", "fdff:ffff::1": "private",
	"fe80::1": "link-local", "fec0::1": "private", "ff02::1": "multicast", "2001:db8::1": "documentation", "3fff::1": "documentation",
	"2001::1": "protocols", "2001:2::1": "protocols", "2001:10::1": "protocols", "100::1": "not a public address", "5f00::1": "not a public address",
	"::127.0.0.1": "not a public address", "64:ff9b:1::a00:1": "local NAT64",
	"::ffff:127.0.0.1": "loopback", "::ffff:169.254.169.254": "link-local", "::ffff:10.0.0.1": "private",
	"64:ff9b::127.0.0.1": "loopback", "64:ff9b::169.254.169.254": "link-local", "64:ff9b::c0a8:101": "private",
	"2002:7f00:1::1": "6to4", "2002:a9fe:a9fe::1": "6to4",
}

// public are addresses that may be reached; many are neighbours of those that may not.
var public = []string{
	"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
	"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	"2606:4700::1111", "2001:200::1", "2001:4860::8888", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
}

// dial asks the client for a connection without ever making one: what may be
// reached ends with the context, which is over.
func dial(client *http.Client, hostPort string) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	conn, err := client.Transport.(*http.Transport).DialContext(ctx, "tcp", hostPort)
	if err == nil {
		conn.Close()
	}
	return err
}

func isRefused(err error) bool { return strings.Contains(err.Error(), "refused: ") }

// names resolves each name to the addresses given for it.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) (addresses []netip.Addr, err error) {
	for _, addr := range n[strings.ToLower(host)] {
		addresses = append(addresses, netip.MustParseAddr(addr))
	}
	if addresses == nil {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addresses, err
}

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	for addr, why := range refused {
		resolver := names{"example.com": {addr}, "mixed.example.com": {"8.8.8.8", addr}}
		client := gates.NewHTTPClient(nil, resolver)
		for _, target := range []string{net.JoinHostPort(addr, "443"), "example.com:443", "mixed.example.com:443"} {
			if err := dial(client, target); !isRefused(err) || !strings.Contains(err.Error(), why) {
				t.Errorf("%s of %s: %v, want it refused as %s", target, addr, err, why)
			}
		}
		gate := gates.NewEndpoint(rollout.Endpoint{Name: "e", URL: "https://" + bracketed(addr) + "/", Method: "GET", Timeout: 10}, client, nil)
		if got := read(t, gate); got.Status != rollout.Inconclusive || !strings.Contains(got.Reason, "refused: ") || !strings.Contains(got.Reason, why) {
			t.Errorf("%s: %+v", addr, got)
		}
		all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		if err := dial(gates.NewHTTPClient(all, resolver), "example.com:8443"); isRefused(err) {
			t.Errorf("%s, although all is allowed: %v", addr, err)
		}
	}
	if err := dial(gates.NewHTTPClient(nil, nil), "[fe80::1%lo]:443"); !isRefused(err) || !strings.Contains(err.Error(), "zone") {
		t.Errorf("an address with a zone: %v", err)
	}
}

func bracketed(addr string) string {
	if strings.Contains(addr, ":") {
		return "[" + addr + "]"
	}
	return addr
}

func TestPublicAddressesAreReachedAtOnePort(t *testing.T) {
	for _, addr := range public {
		client := gates.NewHTTPClient(nil, names{"example.com": {addr}})
		for _, target := range []string{net.JoinHostPort(addr, "443"), "example.com:443"} {
			if err := dial(client, target); isRefused(err) {
				t.Errorf("%s of %s: %v", target, addr, err)
			}
		}
		if err := dial(client, "example.com:22"); !isRefused(err) || !strings.Contains(err.Error(), "port 22") {
			t.Errorf("%s at port 22: %v", addr, err)
		}
	}
}

func TestTheStackAllowsAddresses(t *testing.T) {
	client := gates.NewHTTPClient([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd12::/32")}, nil)
	for target, want := range map[string]bool{
		"10.1.2.3:443": true, "10.1.2.3:8443": true, "[::ffff:10.1.2.3]:443": true, "[fd12::1]:443": true,
		"10.2.0.1:443": false, "127.0.0.1:443": false, "[fd13::1]:443": false, "169.254.169.254:443": false,
	} {
		if err := dial(client, target); isRefused(err) == want {
			t.Errorf("%s: %v, want allowed: %v", target, err, want)
		}
	}
}

// TestNoFormOfALocalAddressPasses takes the standard library's word for what is local.
func TestNoFormOfALocalAddressPasses(t *testing.T) {
	client := gates.NewHTTPClient(nil, nil)
	rapid.Check(t, func(t *rapid.T) {
		var v4 [4]byte
		first := rapid.SampledFrom([]byte{0, 10, 127, 169, 172, 192, 224, 8}).Draw(t, "first")
		binary.BigEndian.PutUint32(v4[:], rapid.Uint32().Draw(t, "rest"))
		v4[0] = first
		if rapid.Bool().Draw(t, "near") {
			v4[1] = map[byte]byte{169: 254, 172: 16 + v4[2]%16, 192: 168}[first]
		}
		addr := netip.AddrFrom4(v4)
		mapped := netip.AddrFrom16(addr.As16())
		nat64, sixToFour, random := netip.MustParseAddr("64:ff9b::").As16(), [16]byte{0x20, 0x02}, [16]byte{}
		copy(nat64[12:], v4[:])
		copy(sixToFour[2:], v4[:])
		copy(random[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v6"))
		random[0] = rapid.SampledFrom([]byte{0xfc, 0xfd, 0xfe, 0xff, 0, 0x20}).Draw(t, "v6 first")
		local := func(a netip.Addr) bool {
			return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()
		}
		for _, a := range []netip.Addr{addr, mapped, netip.AddrFrom16(nat64), netip.AddrFrom16(sixToFour)} {
			if err := dial(client, netip.AddrPortFrom(a, 443).String()); local(addr) && !isRefused(err) {
				t.Errorf("%s, a form of %s, is let through: %v", a, addr, err)
			}
		}
		if a := netip.AddrFrom16(random); local(a) {
			if err := dial(client, netip.AddrPortFrom(a, 443).String()); !isRefused(err) {
				t.Errorf("%s is let through: %v", a, err)
			}
		}
	})
}

// TestNamesOfRefusedAddressesOverDNS asks a DNS server, through the resolver that is used in production.
func TestNamesOfRefusedAddressesOverDNS(t *testing.T) {
	zone := names{
		"loop.example.com": {"127.0.0.1"}, "metadata.example.com": {"169.254.169.254"}, "ula.example.com": {"fd00::1"},
		"mixed.example.com": {"8.8.8.8", "fd00:ec2::254"}, "mapped.example.com": {"::ffff:10.0.0.1"}, "good.example.com": {"8.8.8.8"},
	}
	client := gates.NewHTTPClient(nil, nameServer(t, zone))
	for host := range zone {
		if err := lookUp(t, zone, host); isRefused(err) != (host != "good.example.com") {
			t.Errorf("%s: %v", host, err)
		}
	}
	gate := gates.NewEndpoint(rollout.Endpoint{Name: "e", URL: "https://gone.example.com/", Method: "GET", Timeout: 10}, client, nil)
	if got := read(t, gate); got.Status != rollout.Inconclusive || got.Reason != "no answer: the host's name can't be resolved: no such host" {
		t.Errorf("a name that is not there: %+v", got)
	}
}

// lookUp dials a host with a context that is over once its name is resolved.
func lookUp(t *testing.T, zone names, host string) error {
	ctx, cancel := context.WithCancel(t.Context())
	client := gates.NewHTTPClient(nil, thenCancel{nameServer(t, zone), cancel})
	conn, err := client.Transport.(*http.Transport).DialContext(ctx, "tcp", host+":443")
	if err == nil {
		conn.Close()
		t.Fatalf("%s was connected to", host)
	}
	return err
}

type thenCancel struct {
	gates.Resolver
	cancel func()
}

func (r thenCancel) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	defer r.cancel()
	return r.Resolver.LookupNetIP(ctx, network, host)
}

// nameServer is Go's own resolver with a DNS server in this process.
func nameServer(t *testing.T, zone names) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		t.Cleanup(func() { client.Close() })
		go zone.serve(server)
		return client, nil
	}}
}

// serve answers queries as DNS over a stream has them (RFC 1035, 4.2.2).
func (n names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := n.answer(query)
		if _, err := conn.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer)))); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func (n names) answer(query []byte) []byte {
	var labels []string
	end := 12
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	question := query[12 : end+5]
	kind := binary.BigEndian.Uint16(query[end+1:])
	addresses, known := n[strings.Join(labels, ".")]
	var records []byte
	count := 0
	for _, text := range addresses {
		addr := netip.MustParseAddr(text)
		if (kind == 1) != addr.Is4() {
			continue
		}
		data := addr.AsSlice()
		records = append(records, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
		records = append(records, data...)
		count++
	}
	code := byte(0)
	if !known {
		code = 3 // there is no such name
	}
	header := []byte{query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, byte(count), 0, 0, 0, 0}
	return append(append(header, question...), records...)
}
