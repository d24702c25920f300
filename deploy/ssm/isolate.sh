#!/bin/sh
# Cuts this host off the network and puts it back: isolate.sh isolate|restore|status CASE ENDPOINTS,
# and says whom it still talks to: isolate.sh survivors CASE '' SECONDS
#
# POSIX sh, nothing installed. ENDPOINTS are the CIDRs, comma separated, that stay reachable on TCP
# 443: those of the agent (ssm, ssmmessages, ec2messages) and of the evidence bucket. Everything else
# is dropped in both directions, IPv4 and IPv6, established connections too: no rule asks whether
# a packet belongs to a known flow, so a flow that was open before carries nothing more.
#
# The rules that are there already are never touched. Ours come beside them (nftables: a table of
# our own; iptables: chains that are entered first; neither tool present: routing rules), and a
# packet must pass both. So taking ours away puts the host back exactly; the rules as they were
# are saved before, and restore compares.
#
# What stays open besides ENDPOINTS, and why: loopback; the instance metadata address for root, since
# the agent takes its credentials there; DHCP with the gateway and IPv6 neighbour discovery, without
# which the host loses its address. DNS is closed: it is a tunnel. The agent's own names are written
# into /etc/hosts before, between two marks, and taken out again by restore.
#
# Several cases may hold one host: it opens when the last has let go.
#
# survivors changes nothing. Of every open connection, those of containers too, it asks the kernel when
# a packet came in last: one that came within the last SECONDS proves that the connection lives. ss tells
# that; without it /proc only tells that a connection is open. An open connection to which nothing comes in
# any more looks the same to the host as an idle one: it is called silent.
# The last line on stdout is one JSON object; exit code 0 when the state asked for is reached.
set -u
umask 077
export LC_ALL=C
PATH=${CORDON_PATH:-/usr/sbin:/usr/bin:/sbin:/bin}
export PATH
STATE=${CORDON_STATE:-/var/lib/cordon/isolate}
LOCK=${CORDON_STATE:+$CORDON_STATE.lock}
LOCK=${LOCK:-/run/cordon-isolate.lock}
HOSTS=${CORDON_HOSTS:-/etc/hosts}
ACTION=${1:-}
CASE=${2:-}
ENDPOINTS=${3:-}
SECONDS_BACK=${4:-}
SURVIVORS=''
SILENT=''
BACKEND=none
IPV6=absent
EXACT=null
PINNED=0
NOTE=''

have() {
	command -v "$1" >/dev/null 2>&1
}

# Every text in it is ours or was checked against a short alphabet.
emit() {
	cases=
	for f in "$STATE"/cases/*; do
		[ -e "$f" ] && cases="$cases${cases:+,}\"${f##*/}\""
	done
	printf '{"schema":"cordon.isolate/1","action":"%s","state":"%s","backend":"%s","ipv6":"%s",' \
		"$ACTION" "$1" "$BACKEND" "$IPV6"
	printf '"survivors":[%s],"silent":[%s],' "$SURVIVORS" "$SILENT"
	printf '"cases":[%s],"endpoints":"%s","exact":%s,"pinned":%s,"note":"%s"}\n' \
		"$cases" "$(cat "$STATE/endpoints" 2>/dev/null)" "$EXACT" "$PINNED" "$NOTE"
}

fail() {
	NOTE=$1
	emit error
	exit 1
}

sum() {
	sha256sum 2>/dev/null | cut -c1-64
}

# --- input

check_input() {
	case $ACTION in
	isolate | restore | status) ;;
	survivors)
		case $SECONDS_BACK in
		'' | *[!0-9]* | ??????*) fail 'the seconds are malformed' ;;
		esac
		;;
	*) ACTION=unknown && fail 'the action must be isolate, restore, status or survivors' ;;
	esac
	case $CASE in
	'' | *[!A-Za-z0-9._-]* | .*) fail 'the case id is malformed' ;;
	esac
	case $ENDPOINTS in
	*[!0-9a-fA-F:./,]*) fail 'the endpoints are malformed' ;;
	esac
	V4=''
	V6=''
	old_ifs=$IFS
	IFS=,
	for e in $ENDPOINTS; do
		case $e in
		'') ;;
		*:*/[0-9] | *:*/1[0-5] | *.*/[0-7]) IFS=$old_ifs && fail 'an endpoint is too wide to be one' ;;
		*:*) V6="$V6${V6:+ }$e" ;;
		*.*) V4="$V4${V4:+ }$e" ;;
		*) IFS=$old_ifs && fail 'the endpoints are malformed' ;;
		esac
	done
	IFS=$old_ifs
}

gateway() {
	ip -4 route show default 2>/dev/null | sed -n 's/.* via \([0-9.]*\).*/\1/p' | head -n 1
}

# --- nftables: one table; dropping is final whatever other tables say. Output is filtered after
# address translation, so that no rewritten packet leaves; input before anybody else sees it.

nft_text() {
	printf 'table inet cordon\ndelete table inet cordon\ntable inet cordon {\n'
	[ -z "$V4" ] || printf '\tset open4 { type ipv4_addr; flags interval; auto-merge; elements = { %s } }\n' \
		"$(echo "$V4" | sed 's/ /, /g')"
	[ -z "$V6" ] || printf '\tset open6 { type ipv6_addr; flags interval; auto-merge; elements = { %s } }\n' \
		"$(echo "$V6" | sed 's/ /, /g')"
	printf '\tchain input {\n\t\ttype filter hook input priority -400; policy drop;\n\t\tiif lo accept\n'
	[ -z "$V4" ] || echo '		ip saddr @open4 tcp sport 443 tcp flags & (fin|syn|rst|ack) != syn accept'
	[ -z "$V6" ] || echo '		ip6 saddr @open6 tcp sport 443 tcp flags & (fin|syn|rst|ack) != syn accept'
	echo '		ip saddr 169.254.169.254 tcp sport 80 tcp flags & (fin|syn|rst|ack) != syn accept'
	[ -z "$GW" ] || echo "		ip saddr $GW udp sport 67 udp dport 68 accept"
	echo '		ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept'
	echo '		ip6 hoplimit 255 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept'
	printf '\t}\n\tchain forward {\n\t\ttype filter hook forward priority -400; policy drop;\n\t}\n'
	printf '\tchain output {\n\t\ttype filter hook output priority 400; policy drop;\n\t\toif lo accept\n'
	[ -z "$V4" ] || echo '		ip daddr @open4 tcp dport 443 accept'
	[ -z "$V6" ] || echo '		ip6 daddr @open6 tcp dport 443 accept'
	echo '		ip daddr 169.254.169.254 tcp dport 80 meta skuid 0 accept'
	[ -z "$GW" ] || echo "		ip daddr { $GW, 255.255.255.255 } udp sport 68 udp dport 67 accept"
	echo '		ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept'
	echo '		ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept'
	printf '\t}\n}\n'
}

nft_others() {
	nft -s list ruleset | sed '/^table inet cordon {$/,/^}$/d'
}

nft_ours() {
	nft -s list table inet cordon 2>/dev/null
}

nft_save() {
	nft list ruleset >"$STATE/saved.full" && nft_others >"$STATE/saved"
}

nft_close() {
	nft_text | nft -f - 2>"$STATE/error"
}

nft_open() {
	[ -z "$(nft_ours)" ] || nft delete table inet cordon
}

# --- iptables: three chains a family, entered before any other rule, set in one transaction.

ipt_families() {
	echo iptables
	[ "$IPV6" = absent ] || echo ip6tables
}

ipt_text() {
	if [ "$1" = iptables ]; then cidrs=$V4; else cidrs=$V6; fi
	printf '*filter\n:CORDON-IN - [0:0]\n:CORDON-OUT - [0:0]\n:CORDON-FWD - [0:0]\n'
	printf '%s\n' '-A CORDON-IN -i lo -j RETURN' '-A CORDON-OUT -o lo -j RETURN'
	for c in $cidrs; do
		echo "-A CORDON-IN -s $c -p tcp -m tcp --sport 443 ! --syn -j RETURN"
		echo "-A CORDON-OUT -d $c -p tcp -m tcp --dport 443 -j RETURN"
	done
	if [ "$1" = iptables ]; then
		if [ "$2" = owner ]; then
			echo '-A CORDON-IN -s 169.254.169.254 -p tcp -m tcp --sport 80 ! --syn -j RETURN'
			echo '-A CORDON-OUT -d 169.254.169.254 -p tcp -m tcp --dport 80 -m owner --uid-owner 0 -j RETURN'
		fi
		if [ -n "$GW" ]; then
			echo "-A CORDON-IN -s $GW -p udp -m udp --sport 67 --dport 68 -j RETURN"
			echo "-A CORDON-OUT -d $GW -p udp -m udp --sport 68 --dport 67 -j RETURN"
		fi
	else
		for t in 134 135 136; do
			echo "-A CORDON-IN -p icmpv6 -m icmp6 --icmpv6-type $t -m hl --hl-eq 255 -j RETURN"
		done
		for t in 133 135 136; do
			echo "-A CORDON-OUT -p icmpv6 -m icmp6 --icmpv6-type $t -m hl --hl-eq 255 -j RETURN"
		done
		echo '-A CORDON-IN -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j RETURN'
		echo '-A CORDON-OUT -d ff02::1:2 -p udp -m udp --sport 546 --dport 547 -j RETURN'
	fi
	for pair in IN:INPUT OUT:OUTPUT FWD:FORWARD; do
		echo "-A CORDON-${pair%:*} -j DROP"
		! "$1" -w 5 -C "${pair#*:}" -j "CORDON-${pair%:*}" 2>/dev/null ||
			echo "-D ${pair#*:} -j CORDON-${pair%:*}"
		echo "-I ${pair#*:} 1 -j CORDON-${pair%:*}"
	done
	echo COMMIT
}

# Old iptables-restore knows no -w; an old kernel may lack the owner match (then metadata is closed).
ipt_put() {
	for match in owner plain; do
		ipt_text "$1" "$match" >"$STATE/rules"
		"$1-restore" -w 5 --noflush <"$STATE/rules" 2>"$STATE/error" && return 0
		"$1-restore" --noflush <"$STATE/rules" 2>"$STATE/error" && return 0
	done
	return 1
}

# One family's rules without comments and counters; tables that hold nothing say nothing.
ipt_list() {
	echo "family $1"
	"$1-save" 2>/dev/null | sed -e '/^#/d' -e 's/ \[[0-9]*:[0-9]*\]$//' | awk '
		/^\*/ { text = ""; full = 0 }
		{ text = text $0 "\n" }
		/^-/ || (/^:/ && $2 != "ACCEPT") { full = 1 }
		/^COMMIT/ { if (full) printf "%s", text }'
}

# Without ours. A filter table in which nothing else is left counts as none.
ipt_others() {
	for f in $(ipt_families); do
		ipt_list "$f" | grep -v 'CORDON-' | awk '
			/^\*/ { text = ""; full = 0 }
			/^family/ { print; next }
			{ text = text $0 "\n" }
			/^-/ || (/^:/ && $2 != "ACCEPT") { full = 1 }
			/^COMMIT/ { if (full) printf "%s", text }'
	done
}

# Our chains and the first rule of each built-in one: an entry that is not first is not ours.
ipt_ours() {
	for f in $(ipt_families); do
		for pair in IN:INPUT OUT:OUTPUT FWD:FORWARD; do
			first=$("$f" -w 5 -S "${pair#*:}" 2>/dev/null | sed -n '2p')
			[ "$first" = "-A ${pair#*:} -j CORDON-${pair%:*}" ] || continue
			echo "$f $first"
			"$f" -w 5 -S "CORDON-${pair%:*}"
		done
	done
}

ipt_save() {
	for f in $(ipt_families); do
		"$f-save"
	done >"$STATE/saved.full" && ipt_others >"$STATE/saved"
}

ipt_close() {
	for f in $(ipt_families); do
		ipt_put "$f" || return 1
	done
}

ipt_open() {
	for f in $(ipt_families); do
		for pair in IN:INPUT OUT:OUTPUT FWD:FORWARD; do
			while "$f" -w 5 -C "${pair#*:}" -j "CORDON-${pair%:*}" 2>/dev/null; do
				"$f" -w 5 -D "${pair#*:}" -j "CORDON-${pair%:*}" || return 1
			done
			if "$f" -w 5 -S "CORDON-${pair%:*}" >/dev/null 2>&1; then
				"$f" -w 5 -F "CORDON-${pair%:*}" && "$f" -w 5 -X "CORDON-${pair%:*}" || return 1
			fi
		done
	done
}

# --- routing rules: hosts without a firewall tool (Amazon Linux 2023 as delivered). What is not for
# an endpoint finds no route out; what comes in can't be answered and, reverse path checked, is dropped.

# Protocols by number (6 is TCP): a host may lack /etc/protocols, and ip then knows no names.
rt_rules() {
	for c in $V4; do echo "-4 21 to $c ipproto 6 dport 443 lookup main"; done
	echo '-4 21 to 169.254.169.254 ipproto 6 dport 80 uidrange 0-0 lookup main'
	echo '-4 22 blackhole'
	if [ "$IPV6" != absent ]; then
		for c in $V6; do echo "-6 21 to $c ipproto 6 dport 443 lookup main"; done
		echo '-6 21 to ff02::/16 lookup main'
		echo '-6 22 blackhole'
	fi
}

rt_list() {
	ip -4 rule show | sed 's/^/4 /' && { [ "$IPV6" = absent ] || ip -6 rule show | sed 's/^/6 /'; }
}

rt_others() {
	rt_list | sed -e '/^[46] 2[12]:/d'
}

rt_ours() {
	rt_list | sed -n -e '/^[46] 2[12]:/p'
}

rt_save() {
	rt_list >"$STATE/saved.full" && rt_others >"$STATE/saved"
}

# The holes first, the blackhole last, and it stays while the holes are made anew.
rt_close() {
	rt_drop 21 || return 1
	rt_rules >"$STATE/rules"
	while read -r family pref rest; do
		[ "$pref" = 21 ] || ! ip "$family" rule show | grep -q '^22:' || continue
		# shellcheck disable=SC2086 # the rule is meant to fall into words
		ip "$family" rule add pref "$pref" $rest 2>"$STATE/error" || return 1
	done <"$STATE/rules"
}

rt_drop() {
	for family in -4 -6; do
		[ "$family" = -4 ] || [ "$IPV6" != absent ] || continue
		while ip "$family" rule show | grep -q "^$1:"; do
			ip "$family" rule del pref "$1" || return 1
		done
	done
}

rt_open() {
	rt_drop 22 && rt_drop 21
}

# --- which of them

choose() {
	[ -z "$(cat /proc/net/if_inet6 2>/dev/null)" ] || IPV6=open
	wanted=${CORDON_BACKEND:-$(cat "$STATE/backend" 2>/dev/null)}
	if [ "${wanted:-nftables}" = nftables ] && have nft && nft list tables >/dev/null 2>&1; then
		BACKEND=nftables be=nft
	elif [ "${wanted:-iptables}" = iptables ] && have iptables && have iptables-restore &&
		iptables -w 5 -S >/dev/null 2>&1; then
		BACKEND=iptables be=ipt
		[ "$IPV6" = absent ] || have ip6tables-restore ||
			fail 'IPv6 is on and ip6tables is missing: nothing was changed'
	elif [ "${wanted:-routes}" = routes ] && have ip && ip rule show >/dev/null 2>&1; then
		BACKEND=routes be=rt
	else
		fail 'no firewall tool works here (nft, iptables, ip rule): nothing was changed'
	fi
}

# closed: ours, unchanged since we set them. altered: somebody changed them. open: not there.
look() {
	now=$("${be}_ours" | sum)
	if [ -z "$("${be}_ours")" ]; then
		echo open
	elif [ -s "$STATE/ours" ] && [ "$now" = "$(cat "$STATE/ours")" ]; then
		echo closed
	else
		echo altered
	fi
}

# --- names

unpin() {
	[ -f "$HOSTS" ] && grep -q '^# cordon begin$' "$HOSTS" || return 0
	sed '/^# cordon begin$/,/^# cordon end$/d' "$HOSTS" >"$STATE/hosts.new"
	[ -f "$STATE/hosts.saved" ] || : >"$STATE/hosts.saved"
	if { cat "$STATE/hosts.saved" && echo; } | cmp -s - "$STATE/hosts.new"; then
		cat "$STATE/hosts.saved" >"$HOSTS" # its last line had no end
	else
		cat "$STATE/hosts.new" >"$HOSTS"
	fi
}

pin() {
	region=${AWS_SSM_REGION_NAME:-}
	case $region in
	'' | *[!a-z0-9-]*) return 0 ;;
	cn-*) suffix=amazonaws.com.cn ;;
	*) suffix=amazonaws.com ;;
	esac
	have getent && have timeout && [ -f "$HOSTS" ] || return 0
	: >"$STATE/pins"
	for s in ssm ssmmessages ec2messages s3 kms logs; do
		timeout 3 getent ahosts "$s.$region.$suffix" 2>/dev/null |
			sed -n "s/^\([0-9a-fA-F.:]*\) .*/\1 $s.$region.$suffix/p" | sort -u >>"$STATE/pins"
	done
	[ -s "$STATE/pins" ] || return 0
	PINNED=$(wc -l <"$STATE/pins" | tr -d ' ')
	cp "$HOSTS" "$STATE/hosts.saved"
	{
		[ -z "$(tail -c 1 "$STATE/hosts.saved")" ] || echo
		echo '# cordon begin'
		cat "$STATE/pins"
		echo '# cordon end'
	} >>"$HOSTS"
}

# --- the three actions

isolate() {
	[ -n "$V4$V6" ] || fail 'no endpoint was given: the agent would be cut off for good'
	GW=$(gateway)
	was=$(look)
	mkdir -p "$STATE" || fail 'the state folder can not be made: nothing was changed'
	if [ "$was" = open ]; then
		rm -rf "$STATE/cases" "$STATE/ours"
		"${be}_save" || fail 'the rules that are there could not be saved: nothing was changed'
		unpin
		pin
	fi
	echo "$BACKEND" >"$STATE/backend"
	if ! "${be}_close"; then
		[ "$was" = open ] || fail 'the new rules were refused; the host stays isolated'
		"${be}_open"
		unpin
		rm -rf "$STATE"
		fail 'the rules were refused; the host is as it was'
	fi
	mkdir -p "$STATE/cases"
	: >"$STATE/cases/$CASE"
	printf '%s' "$ENDPOINTS" >"$STATE/endpoints"
	"${be}_ours" | sum >"$STATE/ours"
	# Forgotten flows can't be taken for known ones by a rule of somebody else.
	! have conntrack || conntrack -F >/dev/null 2>&1
	report isolated
}

restore() {
	rm -f "$STATE/cases/$CASE"
	if [ -n "$(ls "$STATE/cases" 2>/dev/null)" ]; then
		NOTE='another case still holds this host'
		report held
	fi
	was=$(look)
	"${be}_open" || fail 'our rules could not be taken away'
	unpin
	[ "$was" = altered ] && NOTE='our rules had been altered'
	if [ -f "$STATE/saved" ]; then
		if "${be}_others" | cmp -s - "$STATE/saved"; then
			EXACT=true
			rm -rf "$STATE"
		else
			EXACT=false
			NOTE='other rules changed meanwhile and were left alone'
			"${be}_others" >"$STATE/now"
			rm -rf "$STATE/cases" "$STATE/ours" "$STATE/backend" "$STATE/endpoints"
		fi
	else
		EXACT=true
	fi
	report open
}

# Says what is there, never what was wanted; ends the script.
report() {
	seen=$(look)
	case $seen in
	closed) seen=isolated ;;
	altered) seen=partial && NOTE=${NOTE:-'our rules were altered by somebody'} ;;
	esac
	[ "$seen" = open ] || [ "$IPV6" = absent ] || IPV6=closed
	if [ "$1" = held ] && [ "$seen" = isolated ]; then
		emit held
		exit 0
	fi
	emit "$seen"
	[ "$1" = any ] || [ "$1" = "$seen" ] || exit 1
	exit 0
}

# --- who is still there

# Milliseconds since a packet of the connection came in, by what ss says of it. ss leaves a zero out.
latest() {
	case " $1 " in
	*' rto:'*) ;;
	*) echo - && return ;;
	esac
	least=
	for name in lastrcv lastack; do
		value=0
		case " $1 " in
		*" $name:"*) value=${1##*" $name:"} && value=${value%% *} ;;
		esac
		case $value in
		'' | *[!0-9]*) continue ;;
		esac
		[ -n "$least" ] && [ "$least" -le "$value" ] || least=$value
	done
	echo "${least:--}"
}

bare() {
	a=${1%:*}
	a=${a#[}
	a=${a%]}
	a=${a%%%*}
	echo "${a#::ffff:}"
}

# "LOCAL REMOTE MILLISECONDS" of each connection, as ss knows them; what comes before ss is in $@.
# Each has a line of columns (received, sent, local, remote) and one of what else is known.
by_ss() {
	near=''
	far=''
	{
		"$@" ss -Htin state established 2>/dev/null
		echo 0 0 end end
	} | while read -r one two local remote rest; do
		case $one in
		[0-9]*)
			[ -z "$far" ] || echo "$near $far -"
			near=$(bare "$local")
			far=$(bare "$remote")
			;;
		*)
			[ -z "$far" ] || echo "$near $far $(latest "$one $two $local $remote $rest")"
			far=''
			;;
		esac
	done
	"$@" ss -Hun state established 2>/dev/null | while read -r _ _ local remote _; do
		echo "$(bare "$local") $(bare "$remote") -"
	done
}

# An address as /proc writes it: words of four bytes, the lowest byte first.
word4() {
	printf '%d.%d.%d.%d' "0x${1#??????}" "0x$(echo "$1" | cut -c5-6)" "0x$(echo "$1" | cut -c3-4)" "0x${1%??????}"
}

word6() {
	echo "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3:\2\1/'
}

plain() {
	h=${1%:*}
	case $h in
	0000000000000000FFFF0000????????) word4 "${h#????????????????????????}" ;;
	????????) word4 "$h" ;;
	????????????????????????????????)
		for w in 1-8 9-16 17-24 25-32; do
			word6 "$(echo "$h" | cut -c"$w")"
		done | paste -s -d : -
		;;
	esac
}

# The same from the files of a process: open, but nobody knows since when nothing came.
by_proc() {
	for f in tcp tcp6 udp udp6; do
		[ -r "$1/net/$f" ] || continue
		while read -r _ local remote state _; do
			[ "$state" = 01 ] && echo "$(plain "$local") $(plain "$remote") -"
		done <"$1/net/$f"
	done
}

# One process of every other network namespace: containers have their own.
others() {
	[ "${CORDON_NAMESPACES:-all}" = all ] || return 0
	mine=$(readlink /proc/self/ns/net)
	# shellcheck disable=SC2012 # names of processes are numbers
	ls -l /proc/[0-9]*/ns/net 2>/dev/null |
		sed -n 's#.* /proc/\([0-9]*\)/ns/net -> \(net:.*\)$#\2 \1#p' |
		grep -vF "$mine " | sort -u -k1,1 | head -n 64 | cut -d' ' -f2
}

connections() {
	if have ss; then
		by_ss env
	else
		by_proc /proc/self
	fi
	for pid in $(others); do
		if have ss && have nsenter; then
			by_ss nsenter -t "$pid" -n
		else
			by_proc "/proc/$pid"
		fi
	done
}

# Addresses, quoted, comma separated, at most 50. Only what an address is made of passes.
quoted() {
	sort -u | grep -E '^[0-9a-fA-F.:]{2,45}$' | head -n 50 | sed 's/.*/"&"/' | paste -s -d , -
}

survivors() {
	have paste || fail 'paste is missing: nobody was asked'
	have mktemp || fail 'mktemp is missing: nobody was asked'
	seen=$(mktemp) || fail 'no file can be made: nobody was asked'
	connections >"$seen"
	# A connection between two ends on this host is no way out of it.
	cut -d' ' -f1 "$seen" | sort -u >"$seen.own"
	cut -d' ' -f2,3 "$seen" | grep -vE '^(127\.|169\.254\.|fe80:|::1 |0\.0\.0\.0)' | while read -r far ms; do
		grep -qxF "$far" "$seen.own" || echo "$far $ms"
	done >"$seen.far"
	limit=$((SECONDS_BACK * 1000))
	while read -r far ms; do
		[ "$ms" = - ] || [ "$ms" -ge "$limit" ] || echo "$far"
	done <"$seen.far" >"$seen.alive"
	SURVIVORS=$(quoted <"$seen.alive")
	SILENT=$(cut -d' ' -f1 "$seen.far" | grep -vxF -f "$seen.alive" | quoted)
	have ss || NOTE='ss is missing here: what is open is known, not what lives'
	rm -f "$seen" "$seen.own" "$seen.far" "$seen.alive"
	emit asked
	exit 0
}

check_input
[ "$(id -u)" = 0 ] || fail 'this must run as root'
[ "$ACTION" = survivors ] && survivors
if have flock; then
	exec 9>"$LOCK"
	flock -w 60 9 || fail 'another run of this script does not end'
fi
choose
case $ACTION in
isolate) isolate ;;
restore) restore ;;
status) report any ;;
esac
