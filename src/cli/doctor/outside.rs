//! Whether banks and gateways can be reached from here; no request is made.

use std::time::Duration;

use tokio::net::TcpStream;

use super::Findings;
use crate::config::Config;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// Every bank and gateway that has an address.
pub async fn look(config: &Config, findings: &mut Findings) {
    let banks = config.banks.iter().filter_map(|bank| {
        let endpoint = bank.endpoint.as_ref()?;
        Some((format!("bank {}", bank.name), &endpoint.endpoint.base_url))
    });
    let gateways = config.channels.iter().filter_map(|(name, channel)| {
        let gateway = channel.gateway.as_ref()?;
        Some((format!("channel {name}"), &gateway.endpoint.base_url))
    });
    for (what, url) in banks.chain(gateways) {
        match reach(url).await {
            Ok(()) => findings.well(&what, format!("{url} can be reached")),
            Err(why) => {
                let to_do = "check the address, the name server and the firewall between";
                findings.ill(&what, format!("{url}: {why}"), to_do);
            }
        }
    }
}

async fn reach(url: &str) -> Result<(), String> {
    let url: reqwest::Url = url.parse().map_err(|error| format!("is no address: {error}"))?;
    let host = url.host_str().ok_or("has no host")?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().ok_or("has no port")?;
    match tokio::time::timeout(CONNECT_TIME_MAX, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no connection within {} seconds", CONNECT_TIME_MAX.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[tokio::test]
    async fn an_address_nobody_listens_at_is_told() {
        assert!(reach("http://127.0.0.1:1/").await.is_err());
        assert!(reach("no address").await.expect_err("none").contains("is no address"));
    }
}
