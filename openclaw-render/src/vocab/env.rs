//! Names of environment variables.

/// Home directory of the agent.
pub const HOME: &str = "HOME";
/// Where the application keeps its state.
pub const STATE_DIR: &str = "OPENCLAW_STATE_DIR";
/// The application's configuration file.
pub const CONFIG_PATH: &str = "OPENCLAW_CONFIG_PATH";
/// Makes the application leave its configuration file alone.
pub const CONFIG_READONLY: &str = "OPENCLAW_CONFIG_READONLY";
/// The gateway's password, in mode `password`.
pub const GATEWAY_PASSWORD: &str = "OPENCLAW_GATEWAY_PASSWORD";
/// The gateway's token.
pub const GATEWAY_TOKEN: &str = "OPENCLAW_GATEWAY_TOKEN";
/// The gateway's port.
pub const GATEWAY_PORT: &str = "OPENCLAW_GATEWAY_PORT";
/// Keeps one process for the life of the container.
pub const NO_RESPAWN: &str = "OPENCLAW_NO_RESPAWN";
/// The operator owns the version.
pub const NO_AUTO_UPDATE: &str = "OPENCLAW_NO_AUTO_UPDATE";
/// Keeps the application's repairs away from services of the machine (value [`EXTERNAL`]).
pub const SERVICE_REPAIR_POLICY: &str = "OPENCLAW_SERVICE_REPAIR_POLICY";
/// Says that somebody else starts the application again and updates it (value [`EXTERNAL`]).
pub const SUPERVISOR_MODE: &str = "OPENCLAW_SUPERVISOR_MODE";
/// What the two say of us.
pub const EXTERNAL: &str = "external";
/// Multicast discovery has no use in a pod network.
pub const DISABLE_BONJOUR: &str = "OPENCLAW_DISABLE_BONJOUR";
/// Options of Node.js, where the heap's bound goes.
pub const NODE_OPTIONS: &str = "NODE_OPTIONS";
/// Where `npm install -g` puts programs.
pub const NPM_CONFIG_PREFIX: &str = "NPM_CONFIG_PREFIX";
/// npm's cache.
pub const NPM_CONFIG_CACHE: &str = "NPM_CONFIG_CACHE";

/// Certificates that Node.js trusts besides its own.
pub const NODE_EXTRA_CA_CERTS: &str = "NODE_EXTRA_CA_CERTS";
/// The file of trusted certificates, for programs with OpenSSL and those in Go.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// The file of certificates that git trusts.
pub const GIT_SSL_CAINFO: &str = "GIT_SSL_CAINFO";
/// Where programs are looked for.
pub const PATH: &str = "PATH";
/// Where Tailscale listens for its own command.
pub const TS_SOCKET: &str = "TS_SOCKET";
/// Where the application finds the browser of its pod.
pub const CHROMIUM_CDP: &str = "OPENCLAW_CHROMIUM_CDP";
/// The same, for scripts and skills of those who know it by this name.
pub const CHROMIUM_URL: &str = "CHROMIUM_URL";
/// Where the server for local models is found, or listens.
pub const OLLAMA_HOST: &str = "OLLAMA_HOST";
/// Where that server keeps its models.
pub const OLLAMA_MODELS: &str = "OLLAMA_MODELS";

/// Name of who may use the web terminal.
pub const TTYD_USERNAME: &str = "TTYD_USERNAME";
/// Password of who may use the web terminal.
pub const TTYD_PASSWORD: &str = "TTYD_PASSWORD";

/// Keeps packages from running scripts when they are installed.
pub const NPM_CONFIG_IGNORE_SCRIPTS: &str = "NPM_CONFIG_IGNORE_SCRIPTS";
/// The same, as npm itself writes it for what it starts.
pub const NPM_CONFIG_IGNORE_SCRIPTS_LOWER: &str = "npm_config_ignore_scripts";
/// uv's cache.
pub const UV_CACHE_DIR: &str = "UV_CACHE_DIR";

/// Variables of the user's that reach installers: how to get to the network, and to which mirror.
pub const OF_INSTALLERS: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "NPM_CONFIG_REGISTRY",
    "OPENCLAW_CLAWHUB_URL",
    "npm_config_registry",
    "UV_PYTHON_INSTALL_MIRROR",
];

/// Variables that say how to reach the network, in capitals; programs know them in small letters, too.
pub const PROXIES: &[&str] = &["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/// Variables that stay ours, whatever the user sets: the pod would not work otherwise.
pub const PROTECTED: &[&str] = &[HOME, STATE_DIR, CONFIG_PATH, GATEWAY_PORT];

/// Beginnings of variables, in capital letters, that no request of an agent may set: what programs
/// are run and with which libraries, whom they trust, where they send what they hold, and what the
/// operator sets.
const PROTECTED_BEGINNINGS: &[&str] = &[
    "ALL_PROXY",
    "BASH_",
    "CHROMIUM_",
    "CURL_CA_",
    "DYLD_",
    "ENV",
    "GIT_",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBE",
    "LD_",
    "NODE_",
    "NO_PROXY",
    "NPM_CONFIG_",
    "OLLAMA_",
    "OPENCLAW_",
    "PATH",
    "PIP_",
    "PYTHON",
    "REQUESTS_CA_",
    "SHELL",
    "SSL_CERT_",
    "TS_",
    "UV_",
];

/// Whether no request of an agent may set or remove a variable.
#[must_use]
pub fn is_protected_from_requests(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    PROTECTED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || name.ends_with("_BASE_URL")
        || name.ends_with("_ENDPOINT")
}

/// Name of the agent's instance.
pub const INSTANCE_NAME: &str = "OPENCLAW_INSTANCE_NAME";
/// Namespace of the agent's instance.
pub const NAMESPACE: &str = "OPENCLAW_NAMESPACE";

/// Names under which model providers' keys are looked for, sorted.
pub const PROVIDER_KEYS: &[&str] = &[
    "AI_GATEWAY_API_KEY",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_OAUTH_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_ENDPOINT",
    "BYTEPLUS_API_KEY",
    "CEREBRAS_API_KEY",
    "CHUTES_API_KEY",
    "CHUTES_OAUTH_TOKEN",
    "CLOUDFLARE_AI_GATEWAY_API_KEY",
    "COHERE_API_KEY",
    "COPILOT_GITHUB_TOKEN",
    "DEEPSEEK_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_AI_API_KEY",
    "GOOGLE_AI_STUDIO_API_KEY",
    "GROQ_API_KEY",
    "HF_TOKEN",
    "HUGGINGFACE_HUB_TOKEN",
    "KILOCODE_API_KEY",
    "KIMICODE_API_KEY",
    "KIMI_API_KEY",
    "LITELLM_API_KEY",
    "MINIMAX_API_KEY",
    "MINIMAX_OAUTH_TOKEN",
    "MISTRAL_API_KEY",
    "MODELSTUDIO_API_KEY",
    "MOONSHOT_API_KEY",
    "NVIDIA_API_KEY",
    "OLLAMA_API_KEY",
    "OPENAI_API_KEY",
    "OPENCODE_API_KEY",
    "OPENCODE_ZEN_API_KEY",
    "OPENROUTER_API_KEY",
    "QIANFAN_API_KEY",
    "QWEN_OAUTH_TOKEN",
    "QWEN_PORTAL_API_KEY",
    "SYNTHETIC_API_KEY",
    "TOGETHER_API_KEY",
    "VENICE_API_KEY",
    "VLLM_API_KEY",
    "VOLCANO_ENGINE_API_KEY",
    "XAI_API_KEY",
    "XIAOMI_API_KEY",
    "ZAI_API_KEY",
    "Z_AI_API_KEY",
];
